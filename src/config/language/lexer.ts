import {
  ARRAY_END,
  ARRAY_START,
  BACKSLASH,
  BLOCK_START,
  COMMA,
  DOT,
  DOUBLE_QUOTE,
  END,
  HASH,
  isBlank,
  isDigit,
  isKeySeparator,
  isNewline,
  isSpace,
  MAP_END,
  MAP_START,
  MINUS,
  SEMICOLON,
  SINGLE_QUOTE,
  SLASH,
  shown,
} from "./characters.ts";
import { Cursor, type Item, type ItemKind, type State } from "./cursor.ts";
import {
  bareString,
  blockString,
  closeQuote,
  digits,
  doubleQuoted,
  endOfText,
  negative,
  singleQuoted,
} from "./scalars.ts";

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

/** Reads over a comment if `char`, just read, begins one; afterwards reading goes on with `then`. A lone slash is put aside. */
function comment(cursor: Cursor, char: number, then: State): State | undefined {
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

function skipTo(cursor: Cursor, state: State): State {
  cursor.skip();
  return state;
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

function quotedKey(
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
function keyOrInclude(cursor: Cursor, then: State, afterInclude: State | undefined): State {
  if (cursor.text().toLowerCase() !== "include") {
    cursor.emit("key");
    return then;
  }
  cursor.skip();
  if (afterInclude !== undefined) cursor.push(afterInclude);
  return includeStart;
}

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

const value: State = (cursor) => {
  const char = cursor.next();
  if (isBlank(char)) return skipTo(cursor, value);
  if (char === ARRAY_START) return begin(cursor, "arrayStart", arrayValue);
  if (char === MAP_START) return begin(cursor, "mapStart", mapKeyStart);
  if (char === SINGLE_QUOTE) return skipTo(cursor, singleQuoted);
  if (char === DOUBLE_QUOTE) {
    cursor.stringState = doubleQuoted;
    return skipTo(cursor, doubleQuoted);
  }
  if (char === MINUS) return negative;
  if (char === BLOCK_START) return skipTo(cursor, blockString);
  if (isDigit(char)) return digits;
  if (char === DOT) return cursor.fail("Floats must start with a digit");
  if (isNewline(char)) return cursor.fail("Expected value but found new line");
  cursor.back();
  cursor.stringState = bareString;
  return bareString;
};

/** Emits the item for a bracket, which has no text. */
function begin(cursor: Cursor, kind: ItemKind, then: State): State {
  cursor.skip();
  cursor.emit(kind);
  return then;
}

function end(cursor: Cursor, kind: ItemKind): State | undefined {
  cursor.skip();
  cursor.emit(kind);
  return cursor.pop();
}

const arrayValue: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, arrayValue);
  const found = comment(cursor, char, arrayValue);
  if (found !== undefined) return found;
  if (char === COMMA || char === SLASH) return cursor.fail("Unexpected array value terminator ','.");
  if (char === ARRAY_END) return end(cursor, "arrayEnd");
  cursor.back();
  cursor.push(arrayValueEnd);
  return value;
};

const arrayValueEnd: State = (cursor) => {
  const char = cursor.next();
  if (isBlank(char)) return skipTo(cursor, arrayValueEnd);
  const found = comment(cursor, char, arrayValueEnd);
  if (found !== undefined) return found;
  if (char === COMMA || char === SLASH || isNewline(char)) return skipTo(cursor, arrayValue);
  if (char === ARRAY_END) return end(cursor, "arrayEnd");
  return cursor.fail(
    `Expected an array value terminator "," or an array terminator "]", but got '${shown(char)}' instead.`,
  );
};

const mapKeyStart: State = (cursor) => {
  const char = cursor.peek();
  if (isKeySeparator(char)) return cursor.fail(`Unexpected key separator '${shown(char)}'.`);
  if (char === ARRAY_END) return cursor.fail(`Unexpected array end '${shown(char)}' processing map.`);
  if (char === END) return cursor.fail("Unexpected EOF processing map.");
  if (isSpace(char)) {
    cursor.next();
    return skipTo(cursor, mapKeyStart);
  }
  if (char === MAP_END) {
    cursor.next();
    return end(cursor, "mapEnd");
  }
  if (char === SINGLE_QUOTE || char === DOUBLE_QUOTE) {
    cursor.next();
    cursor.skip();
    const which = char === DOUBLE_QUOTE ? "double quoted" : "quoted";
    const atEnd = (at: Cursor): undefined => at.fail(`Unexpected EOF processing ${which} map key.`);
    return quotedKey(cursor, char, atEnd, mapKeyEnd);
  }
  if (char === HASH || char === SLASH) {
    cursor.next();
    const found = comment(cursor, char, mapKeyStart);
    if (found !== undefined) return found;
  }
  // A key that begins with a lone slash loses it.
  cursor.skip();
  cursor.next();
  return mapKey;
};

const mapKey: State = (cursor) => {
  for (;;) {
    const char = cursor.peek();
    if (char === END) return cursor.fail("Unexpected EOF processing map key.");
    if (isSpace(char)) return keyOrInclude(cursor, mapKeyEnd, mapValueEnd);
    if (isKeySeparator(char)) break;
    cursor.next();
  }
  cursor.emit("key");
  return mapKeyEnd;
};

const mapKeyEnd: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, mapKeyEnd);
  if (isKeySeparator(char)) return skipTo(cursor, mapValue);
  cursor.back();
  return mapValue;
};

const mapValue: State = (cursor) => {
  const char = cursor.next();
  if (isSpace(char)) return skipTo(cursor, mapValue);
  if (char === COMMA) return cursor.fail('Unexpected map value terminator ",".');
  if (char === MAP_END) return end(cursor, "mapEnd");
  cursor.back();
  cursor.push(mapValueEnd);
  return value;
};

const mapValueEnd: State = (cursor) => {
  const char = cursor.next();
  if (isBlank(char)) return skipTo(cursor, mapValueEnd);
  const found = comment(cursor, char, mapValueEnd);
  if (found !== undefined) return found;
  if (char === SLASH || char === SEMICOLON || char === COMMA || isNewline(char)) {
    return skipTo(cursor, mapKeyStart);
  }
  if (char === MAP_END) return end(cursor, "mapEnd");
  return cursor.fail(
    `Expected a map value terminator "," or a map terminator "}", but got '${shown(char)}' instead.`,
  );
};
