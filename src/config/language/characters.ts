/**
 * Characters of the configuration language, as code points. Positions in a file count bytes, as nats-server does, so the text is
 * read as UTF-8 bytes and decoded a character at a time.
 */

/** What reading past the end gives; a NUL in the text reads the same. */
export const END = 0;

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const HASH = 0x23;
export const DOLLAR = 0x24;
export const SINGLE_QUOTE = 0x27;
export const BLOCK_START = 0x28;
export const BLOCK_END = 0x29;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const ARRAY_START = 0x5b;
export const BACKSLASH = 0x5c;
export const ARRAY_END = 0x5d;
export const MAP_START = 0x7b;
export const MAP_END = 0x7d;

const REPLACEMENT = 0xfffd;
const DIGIT = /^\p{Nd}$/u;
const SUFFIX = /^[kmgtpe]$/i;
const WIDE_SPACE = /^[\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/u;

/** Blank within a line. */
export function isBlank(char: number): boolean {
  return char === SPACE || char === TAB;
}

export function isNewline(char: number): boolean {
  return char === NEWLINE || char === RETURN;
}

/** Any white space, that of Unicode too. */
export function isSpace(char: number): boolean {
  if (char < 0x80) return char === SPACE || (char >= TAB && char <= RETURN);
  return WIDE_SPACE.test(String.fromCodePoint(char));
}

export function isDigit(char: number): boolean {
  if (char < 0x80) return char >= 0x30 && char <= 0x39;
  return DIGIT.test(String.fromCodePoint(char));
}

/** Whether a number may go on with this as its unit. */
export function isUnit(char: number): boolean {
  return char < 0x80 && SUFFIX.test(String.fromCharCode(char));
}

export function isKeySeparator(char: number): boolean {
  return char === EQUALS || char === COLON;
}

/** A character as error texts show it. */
export function shown(char: number): string {
  return char === NEWLINE ? "\\n" : String.fromCodePoint(char);
}

/** The character at `offset` and how many bytes it takes, packed as `char * 8 + width`; a byte that is not UTF-8 is U+FFFD of width 1. */
export function characterAt(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset];
  if (first < 0x80) return first * 8 + 1;
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || offset + width > bytes.length) return REPLACEMENT * 8 + 1;
  let char = first & (0x7f >> width);
  for (let i = 1; i < width; i++) {
    const next = bytes[offset + i];
    if ((next & 0xc0) !== 0x80) return REPLACEMENT * 8 + 1;
    char = (char << 6) | (next & 0x3f);
  }
  const least = width === 4 ? 0x10000 : width === 3 ? 0x800 : 0x80;
  const valid = char >= least && char <= 0x10ffff && (char < 0xd800 || char > 0xdfff);
  return valid ? char * 8 + width : REPLACEMENT * 8 + 1;
}
