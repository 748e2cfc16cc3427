import {
  ARRAY_START,
  BACKSLASH,
  BLOCK_START,
  DOUBLE_QUOTE,
  END,
  isBlank,
  isDigit,
  isNewline,
  MAP_END,
  MAP_START,
  MINUS,
  SEMICOLON,
  SINGLE_QUOTE,
} from "./characters.ts";
import type { Cursor, State } from "./cursor.ts";
import { closeQuote } from "./scalars.ts";
import { skipTo } from "./steps.ts";

/** Reads a key up to its closing quote; where the text ends before it, `atEnd` says what that is. */
export function quotedKey(
  cursor: Cursor,
  quote: number,
  atEnd: (cursor: Cursor) => undefined,
  then: State,
): State | undefined {
  for (;;) {
    const char = cursor.peek();
    if (char === quote) break;
    if (char === END) return atEnd(cursor);
    cursor.next();
  }
  cursor.emit("key");
  cursor.next();
  return skipTo(cursor, then);
}

/** A key ends with a blank: it may be the word "include", after which comes a file's name. */
export function keyOrInclude(cursor: Cursor, then: State, afterInclude: State | undefined): State {
  if (cursor.text().toLowerCase() !== "include") {
    cursor.emit("key");
    return then;
  }
  cursor.skip();
  if (afterInclude !== undefined) cursor.push(afterInclude);
  return includeStart;
}

const includeStart: State = (cursor) => {
  const char = cursor.next();
  if (isBlank(char)) return skipTo(cursor, includeStart);
  if (char === SINGLE_QUOTE || char === DOUBLE_QUOTE) return quotedInclude(cursor, char);
  const wrong = notAnInclude(char);
  if (wrong !== undefined) return cursor.fail(`Expected include value but found ${wrong}`);
  cursor.back();
  return bareInclude;
};

function notAnInclude(char: number): string | undefined {
  if (char === ARRAY_START) return "start of an array";
  if (char === MAP_START) return "start of a map";
  if (char === BLOCK_START) return "start of a block";
  if (isDigit(char) || char === MINUS) return "start of a number";
  if (char === BACKSLASH) return "escape sequence";
  return isNewline(char) ? "new line" : undefined;
}

function quotedInclude(cursor: Cursor, quote: number): State | undefined {
  cursor.skip();
  for (;;) {
    const char = cursor.next();
    if (char === quote) return closeQuote(cursor, "include");
    if (char === END) {
      return cursor.fail(`Unexpected EOF in ${quote === DOUBLE_QUOTE ? "double " : ""}quoted include`);
    }
  }
}

const bareInclude: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (char === SINGLE_QUOTE) return closeQuote(cursor, "include");
    const ends = isNewline(char) || isBlank(char) || char === END || char === SEMICOLON || char === MAP_END;
    if (!ends) continue;
    cursor.back();
    cursor.emit("include");
    return cursor.pop();
  }
};
