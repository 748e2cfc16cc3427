/** Bytes for the protocol tests: texts that stand for bytes, chunks, and arrays that turn to garbage once they were read. */
import assert from "node:assert/strict";

/** The bytes of a text whose characters stand for one byte each (U+0000 to U+00FF). */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The reverse of {@link bytesOf}: how recorded bytes are kept, so that a failed test shows them. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** The UTF-8 bytes of a text, as {@link latin1} writes them. */
export function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Stops when two long texts differ, and shows only where. */
export function assertSame(actual: string, expected: string, what: string): void {
  if (actual === expected) return;
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at += 1;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 10), at + 20));
  assert.fail(
    `${what}: at ${at} there is ${around(actual)} (${actual.length} in all), not ${around(expected)} (${expected.length} in all)`,
  );
}

/** All of them in one array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The FNV-1a hash (32 bits, signed) of `bytes[start, end)`, which readers take of a subject. */
export function fnv1a(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 2_166_136_261n;
  for (const byte of bytes.subarray(start, end)) hash = ((hash ^ BigInt(byte)) * 16_777_619n) & 0xffff_ffffn;
  return Number(BigInt.asIntN(32, hash));
}

/** Whatever takes bytes. */
export interface Reader {
  read(chunk: Uint8Array): void;
}

/**
 * Gives `bytes` to the reader in chunks of these sizes (over again when they run out). Each chunk turns to garbage after it was
 * read, because a reader may not use it any more then.
 */
export function feed(reader: Reader, bytes: Uint8Array, sizes: readonly number[]): void {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const chunk = bytes.slice(at, at + sizes[i % sizes.length]);
    at += chunk.length;
    reader.read(chunk);
    chunk.fill(0xaa);
  }
}
