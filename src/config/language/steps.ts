import { END, HASH, isNewline, SLASH } from "./characters.ts";
import type { Cursor, State } from "./cursor.ts";

/** Reads over a comment if `char`, just read, begins one; afterwards reading goes on with `then`. A lone slash is put aside. */
export function comment(cursor: Cursor, char: number, then: State): State | undefined {
  if (char === SLASH) {
    if (cursor.next() !== SLASH) {
      cursor.back();
      return undefined;
    }
  } else if (char !== HASH) return undefined;
  cursor.push(then);
  return restOfComment;
}

const restOfComment: State = (cursor) => {
  for (;;) {
    const char = cursor.peek();
    if (isNewline(char) || char === END) break;
    cursor.next();
  }
  cursor.skip();
  return cursor.pop();
};

/** Leaves out what was read, and goes on with `state`. */
export function skipTo(cursor: Cursor, state: State): State {
  cursor.skip();
  return state;
}
