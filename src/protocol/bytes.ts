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

/** How many decimal digits `value` (a whole number >= 0) has. */
export function decimalLength(value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length += 1;
  return length;
}

/** Writes `value` (a whole number >= 0) in decimal at `at` and returns the position after it. */
export function writeDecimal(value: number, target: Uint8Array, at: number): number {
  const end = at + decimalLength(value);
  let i = end;
  do {
    const rest = Math.floor(value / 10);
    target[--i] = 48 + (value - rest * 10);
    value = rest;
  } while (i > at);
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
