import {
  ARRAY_END,
  ARRAY_START,
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
import type { Cursor, ItemKind, State } from "./cursor.ts";
import { keyOrInclude, quotedKey } from "./keys.ts";
import { bareString, blockString, digits, doubleQuoted, negative, singleQuoted } from "./scalars.ts";
import { comment, skipTo } from "./steps.ts";

/** Reads any value: a map, an array, or one of scalars.ts. */
export const value: State = (cursor) => {
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
