/** Copies and numbers on byte arrays, as the hot path needs them. */

/** Up to this many bytes a loop beats `set`, which must make a view of its source first (measured on Node 20). */
const SHORT_COPY = 28;

/** Copies `source[start, end)` to `target` at `at`. The room must be there. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start <= SHORT_COPY) {
    for (let i = start; i < end; i++) target[at++] = source[i];
  } else {
    target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
  }
}

/**
 * A copy of `bytes[start, end)`, always a plain array. Not `bytes.slice`: for Node's `Buffer`, which is a `Uint8Array` too, that makes
 * a view.
 */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

/** Whether `a` equals `b[start, start + a.length)`. */
export function sameBytes(a: Uint8Array, b: Uint8Array, start: number): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[start + i]) return false;
  return true;
}

/** Numbers below this are taken as the processor's own whole numbers, larger ones in parts. */
const PART = 100_000_000;
const PART_DIGITS = 8;

/** How many decimal digits `value` (a whole number >= 0) has. */
export function decimalLength(value: number): number {
  if (value >= PART) return PART_DIGITS + decimalLength(Math.floor(value / PART));
  const whole = value | 0;
  let length = 1;
  for (let limit = 10; whole >= limit; limit *= 10) length += 1;
  return length;
}

/** Writes `value` (a whole number >= 0) in decimal at `at` and returns the position after it. */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  if (value < PART) return writePart(value, decimalLength(value), target, at);
  const high = Math.floor(value / PART);
  return writePart(value - high * PART, PART_DIGITS, target, writeDecimal(high, target, at));
}

/** Writes the last `digits` digits of a number below {@link PART}, and zeros before it if it has less. */
function writePart(value: number, digits: number, target: Uint8Array, at: number): number {
  let left = value | 0;
  const end = at + digits;
  for (let i = end - 1; i >= at; i--) {
    const rest = (left / 10) | 0;
    target[i] = 48 + (left - rest * 10);
    left = rest;
  }
  return end;
}

/** The bytes of an ASCII constant. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Whether ASCII `text` stands at `start`. */
export function hasText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
