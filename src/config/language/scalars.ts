import {
  ARRAY_END,
  BACKSLASH,
  BLOCK_END,
  COLON,
  COMMA,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  END,
  isBlank,
  isDigit,
  isNewline,
  isUnit,
  MAP_END,
  MINUS,
  NEWLINE,
  SEMICOLON,
  SINGLE_QUOTE,
  shown,
} from "./characters.ts";
import type { Cursor, ItemKind, State } from "./cursor.ts";

/**
 * States that read a value which is neither a map nor an array. Each emits one item and goes back to the state that was pushed last.
 * What they take for a number, a date, an address or a bare string, with all its oddities, is what nats-server takes for it
 * (test/peers/config-language.test.ts compares).
 */

const BOOLS = new Set(["true", "false", "on", "off", "yes", "no"]);
const HEX = /^[0-9a-fA-F]{2}$/;
const ESCAPES: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '"': 0x22, "\\": 0x5c };

function done(cursor: Cursor, kind: ItemKind): State | undefined {
  cursor.back();
  cursor.emit(kind);
  return cursor.pop();
}

/** Ends an item before its closing quote, and reads over that. */
export function closeQuote(cursor: Cursor, kind: ItemKind): State | undefined {
  cursor.back();
  cursor.emit(kind);
  cursor.next();
  cursor.skip();
  return cursor.pop();
}

/** The text ends here: all is well if nothing was begun. */
export function endOfText(cursor: Cursor): undefined {
  if (cursor.length > 0) return cursor.fail("Unexpected EOF.");
  cursor.emit("end");
  return undefined;
}

/** After `'`: everything up to the next one. */
export const singleQuoted: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (char === SINGLE_QUOTE) return closeQuote(cursor, "string");
    if (char === END) return endOfText(cursor);
  }
};

/** After `"`: everything up to the next one, with escapes. */
export const doubleQuoted: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (char === BACKSLASH) return escaped(cursor);
    if (char === DOUBLE_QUOTE) return closeQuote(cursor, "string");
    if (char === END) return endOfText(cursor);
  }
};

/** A string without quotes; also true and false, and variables. */
export const bareString: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (char === BACKSLASH) return escaped(cursor);
    if (char === SINGLE_QUOTE) return closeQuote(cursor, "string");
    const ends =
      isNewline(char) ||
      isBlank(char) ||
      char === END ||
      char === SEMICOLON ||
      char === COMMA ||
      char === ARRAY_END ||
      char === MAP_END;
    if (!ends) continue;
    cursor.back();
    cursor.emit(bareKind(cursor));
    return cursor.pop();
  }
};

function bareKind(cursor: Cursor): ItemKind {
  if (cursor.hasEscapes) return "string";
  if (BOOLS.has(cursor.text().toLowerCase())) return "bool";
  if (!cursor.startsWith(DOLLAR)) return "string";
  cursor.skipFirst();
  return "variable";
}

function escaped(cursor: Cursor): State | undefined {
  cursor.keepPart(1);
  const char = cursor.next();
  if (shown(char) === "x") return hexEscape(cursor);
  const byte = ESCAPES[shown(char)];
  if (byte === undefined) {
    return cursor.fail(
      `Invalid escape character '${shown(char)}'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\", \\\\.`,
    );
  }
  cursor.addByte(byte);
  return cursor.stringState;
}

function hexEscape(cursor: Cursor): State | undefined {
  if (isNewline(cursor.next()) || isNewline(cursor.next())) {
    return cursor.fail("Expected two hexadecimal digits after '\\x', but hit end of line");
  }
  const digits = cursor.last(2);
  if (!HEX.test(digits)) {
    return cursor.fail(`Expected two hexadecimal digits after '\\x', but got '${digits}'`);
  }
  cursor.addByte(Number.parseInt(digits, 16));
  return cursor.stringState;
}

/** After `(`: everything up to a `)` that has a line to itself. */
export const blockString: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (char === END) return cursor.fail("Unexpected EOF processing block.");
    if (char !== BLOCK_END) continue;
    cursor.back();
    cursor.back();
    const before = cursor.next();
    cursor.next();
    if (before !== NEWLINE) continue;
    const after = cursor.next();
    cursor.back();
    // At the end of the text there is no character to go back over: there the `)` belongs to the string, in nats-server too.
    if (after === NEWLINE || after === END) return closeQuote(cursor, "string");
  }
};

/** A digit: a number, a date, an address, or a string that begins with a digit. */
export const digits: State = (cursor) => {
  for (;;) {
    const char = cursor.next();
    if (isDigit(char)) continue;
    if (char === MINUS) {
      return cursor.length === 5 ? date : cursor.fail("All ISO8601 dates must be in full Zulu form.");
    }
    if (char === DOT) return fraction;
    if (isUnit(char)) return unit;
    if (endsNumber(char)) return done(cursor, "integer");
    cursor.stringState = bareString;
    return bareString;
  }
};

/** A `]` does not end a number: `[1]` is an error in nats-server, as it takes "1]" for a string. */
function endsNumber(char: number): boolean {
  return (
    isNewline(char) ||
    isBlank(char) ||
    char === END ||
    char === MAP_END ||
    char === SEMICOLON ||
    char === COMMA
  );
}

const unit: State = (cursor) => {
  let char: number;
  do char = cursor.next();
  while (/^[bi]$/i.test(shown(char)));
  cursor.back();
  if (endsNumber(char) || isDigit(char)) {
    cursor.emit("integer");
    return cursor.pop();
  }
  cursor.stringState = bareString;
  return bareString;
};

/** After `-`. */
export const negative: State = (cursor) => {
  const first = cursor.next();
  if (first === DOT) return cursor.fail("Floats must start with a digit, not '.'.");
  if (!isDigit(first)) return cursor.fail(`Expected a digit but got '${shown(first)}'.`);
  for (;;) {
    const char = cursor.next();
    if (isDigit(char)) continue;
    if (char === DOT) return fraction;
    if (isUnit(char)) return unit;
    return done(cursor, "integer");
  }
};

/** After the dot: digits; with another dot it is an address. */
const fraction: State = (cursor) => {
  const first = cursor.next();
  if (!isDigit(first)) {
    return cursor.fail(`Floats must have a digit after the '.', but got '${shown(first)}' instead.`);
  }
  let char: number;
  do char = cursor.next();
  while (isDigit(char));
  return char === DOT ? address : done(cursor, "float");
};

const address: State = (cursor) => {
  let char: number;
  do char = cursor.next();
  while (isDigit(char) || char === DOT || char === COLON || char === MINUS);
  return done(cursor, "string");
};

/** After "YYYY-". */
const date: State = (cursor) => {
  for (const expected of "00-00T00:00:00Z") {
    const char = cursor.next();
    if (expected === "0") {
      if (isDigit(char)) continue;
      return cursor.fail(`Expected digit in ISO8601 datetime, but found '${shown(char)}' instead.`);
    }
    if (shown(char) !== expected) {
      return cursor.fail(`Expected '${expected}' in ISO8601 datetime, but found '${shown(char)}' instead.`);
    }
  }
  cursor.emit("date");
  return cursor.pop();
};
