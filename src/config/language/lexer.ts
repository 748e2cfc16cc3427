import {
  COMMA,
  DOUBLE_QUOTE,
  END,
  isBlank,
  isKeySeparator,
  isNewline,
  isSpace,
  MAP_END,
  MAP_START,
  SEMICOLON,
  SINGLE_QUOTE,
  SLASH,
  shown,
} from "./characters.ts";
import { value } from "./containers.ts";
import { Cursor, type Item, type State } from "./cursor.ts";
import { keyOrInclude, quotedKey } from "./keys.ts";
import { endOfText } from "./scalars.ts";
import { comment, skipTo } from "./steps.ts";

/**
 * Cuts the text of a configuration file into items. The grammar, its positions and its error texts are nats-server's, oddities
 * included: three levels (the top, a `{ }` around the whole file, maps) that differ a little in what may end a value.
 */
export class Lexer {
  readonly #cursor: Cursor;
  #state: State | undefined = top;

  constructor(bytes: Uint8Array) {
    this.#cursor = new Cursor(bytes);
  }

  /** The next item; "end" or "error" is the last one. */
  next(): Item {
    for (;;) {
      const item = this.#cursor.take();
      if (item !== undefined) return item;
      if (this.#state === undefined) return { kind: "end", text: "", line: this.#cursor.line, position: 0 };
      this.#state = this.#state(this.#cursor);
    }
  }
}

/** Between the keys of the top level, or of the `{ }` around the whole file. */
function entry(cursor: Cursor, here: State, valueEnd: State, char: number): State | undefined {
  const found = comment(cursor, char, here);
  if (found !== undefined) return found;
  if (char === SLASH || char === END) return endOfText(cursor);
  cursor.back();
  cursor.push(valueEnd);
  return keyStart;
}

const top: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, top);
  if (char === MAP_START) {
    cursor.push(top);
    return skipTo(cursor, block);
  }
  return entry(cursor, top, topValueEnd, char);
};

const topValueEnd: State = (cursor) => {
  const char = cursor.next();
  const found = comment(cursor, char, top);
  if (found !== undefined) return found;
  if (isBlank(char) || char === SLASH) return topValueEnd;
  if (isNewline(char) || char === END || char === SEMICOLON || char === COMMA || char === MAP_END) {
    return skipTo(cursor, top);
  }
  return cursor.fail(
    `Expected a top-level value to end with a new line, comment or EOF, but got '${shown(char)}' instead.`,
  );
};

const block: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, block);
  if (char === MAP_START) {
    cursor.push(blockEnd);
    return skipTo(cursor, block);
  }
  if (char === MAP_END) {
    cursor.skip();
    return cursor.pop();
  }
  return entry(cursor, block, blockValueEnd, char);
};

const blockValueEnd: State = (cursor) => {
  const char = cursor.next();
  const found = comment(cursor, char, blockValueEnd);
  if (found !== undefined) return found;
  if (isBlank(char) || char === SLASH) return blockValueEnd;
  if (isNewline(char) || char === SEMICOLON || char === COMMA) return skipTo(cursor, block);
  if (char === MAP_END) {
    cursor.back();
    return blockEnd;
  }
  return cursor.fail(
    `Expected a block-level value to end with a new line, comment or EOF, but got '${shown(char)}' instead.`,
  );
};

const blockEnd: State = (cursor) => {
  const char = cursor.next();
  const found = comment(cursor, char, block);
  if (found !== undefined) return found;
  if (isNewline(char) || isBlank(char) || char === SLASH) return blockEnd;
  if (char === SEMICOLON || char === COMMA) return skipTo(cursor, block);
  if (char === MAP_END) {
    cursor.skip();
    return cursor.pop();
  }
  return cursor.fail(`Expected a block-level to end with a '}', but got '${shown(char)}' instead.`);
};

const keyStart: State = (cursor) => {
  const char = cursor.peek();
  if (isKeySeparator(char)) return cursor.fail(`Unexpected key separator '${shown(char)}'`);
  if (isSpace(char)) {
    cursor.next();
    return skipTo(cursor, keyStart);
  }
  if (char === DOUBLE_QUOTE || char === SINGLE_QUOTE) {
    cursor.next();
    cursor.skip();
    return quotedKey(cursor, char, endOfText, keyEnd);
  }
  cursor.skip();
  cursor.next();
  return key;
};

const key: State = (cursor) => {
  for (;;) {
    const char = cursor.peek();
    if (isSpace(char)) return keyOrInclude(cursor, keyEnd, undefined);
    if (isKeySeparator(char) || char === END) break;
    cursor.next();
  }
  cursor.emit("key");
  return keyEnd;
};

const keyEnd: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, keyEnd);
  if (isKeySeparator(char)) return skipTo(cursor, value);
  if (char === END) {
    cursor.emit("end");
    return undefined;
  }
  cursor.back();
  return value;
};
