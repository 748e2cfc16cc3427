/**
 * Text on the wire: NATS subjects, queue names and ids are bytes, which by convention are UTF-8. Inside, they are strings.
 *
 * The two must convert without loss, because the server hands on what it was given: bytes that are not
 * valid UTF-8 become lone surrogates U+DC80 to U+DCFF (a code that valid UTF-8 never yields) and turn back into
 * the same bytes.
 */

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const payloadDecoder = new TextDecoder();
const encoder = new TextEncoder();

/** The empty byte string. */
export const EMPTY = new Uint8Array(0);

/** Above this many bytes the platform's decoder is quicker than our own loop. */
const SHORT_TEXT = 48;

/** The text of `buf[start, end)`, byte for byte recoverable with {@link encodeText}. */
export function decodeText(buf: Uint8Array, start: number, end: number): string {
  return shortAscii(buf, start, end) ?? decodeExact(buf, start, end);
}

/** Room for the codes of one text, of each length, which is of use within a call only: the engine spreads a plain array to arguments twice as fast as part of a byte array. */
const CODES: number[][] = [];

/** The text, if it is short and ASCII, in one piece: a string put together bit by bit is slower to read ever after. */
function shortAscii(buf: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > SHORT_TEXT) return undefined;
  const codes = (CODES[end - start] ??= new Array<number>(end - start).fill(0));
  let all = 0;
  for (let i = start, k = 0; i < end; i++, k++) {
    const code = buf[i];
    all |= code;
    codes[k] = code;
  }
  return all > 0x7f ? undefined : String.fromCharCode.apply(null, codes);
}

/** Whether `text` is ASCII and its bytes are `buf[start, end)`. */
export function sameAscii(text: string, buf: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== buf[start + i] || code > 0x7f) return false;
  }
  return true;
}

/** The text of a message's payload, as the official client gives it: invalid UTF-8 shows as U+FFFD, a byte order mark at the start is left out. */
export function decodePayload(buf: Uint8Array, start: number, end: number): string {
  return shortAscii(buf, start, end) ?? payloadDecoder.decode(buf.subarray(start, end));
}

function decodeExact(buf: Uint8Array, start: number, end: number): string {
  const bytes = buf.subarray(start, end);
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

/** Decodes the valid runs and writes every other byte as a lone surrogate. */
function decodeEscaping(bytes: Uint8Array): string {
  let text = "";
  let i = 0;
  while (i < bytes.length) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + bytes[i]);
      i += 1;
    } else {
      text += strictDecoder.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return text;
}

/** The length of the valid UTF-8 sequence at `i`, or 0 (Unicode 15, table 3-7). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i];
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  const second = bytes[i + 1];
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let k = 2; k < length; k++) if (bytes[i + k] < 0x80 || bytes[i + k] > 0xbf) return 0;
  return length;
}

/** The bytes of `text`: the reverse of {@link decodeText}. */
export function encodeText(text: string): Uint8Array {
  if (isAscii(text)) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }
  const bytes = encoder.encode(text);
  return hasEscapes(text) ? encodeEscaping(text) : bytes;
}

/** Writes the bytes of a short text at `at`; there must be room for 3 bytes a character. Returns the position after it. */
export function writeText(text: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      const bytes = encodeText(text);
      target.set(bytes, at - i);
      return at - i + bytes.length;
    }
    target[at++] = code;
  }
  return at;
}

/** The UTF-8 bytes of a payload given as a string; a lone surrogate becomes U+FFFD, as in every client. */
export function encodePayload(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes the UTF-8 bytes of a payload at `at`; `target` must have room for 3 bytes a character. Returns the bytes written. */
export function encodePayloadInto(text: string, target: Uint8Array, at: number): number {
  return encoder.encodeInto(text, target.subarray(at)).written;
}

/** Whether every character is below U+0080, so that the text has as many bytes as characters. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function hasEscapes(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) i += 1;
    } else if (code >= 0xdc80 && code <= 0xdcff) return true;
  }
  return false;
}

function encodeEscaping(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) out.push(code - 0xdc00);
    else out.push(...encoder.encode(char));
  }
  return Uint8Array.from(out);
}

/** Whether two texts are the same, in a time that does not tell where they differ: for secrets. */
export function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  const length = other.length || 1;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i % length);
  return difference === 0;
}
