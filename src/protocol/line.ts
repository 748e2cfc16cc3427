import { decodeText } from "./text.ts";

/** Control lines: an operation, then arguments split by spaces and tabs, ended by LF with or without CR before it. */

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;

/** nats-server reads sizes of up to this many digits (`parseSize`). */
const SIZE_DIGITS_MAX = 9;

/** The size written in `buf[start, end)`: decimal digits only, at most nine; else -1. */
export function parseSize(buf: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > SIZE_DIGITS_MAX) return -1;
  let size = 0;
  for (let i = start; i < end; i++) {
    const digit = buf[i] - 48;
    if (digit < 0 || digit > 9) return -1;
    size = size * 10 + digit;
  }
  return size;
}

/** The arguments of a line that is not on the hot path, as texts. */
export function splitArguments(buf: Uint8Array, start: number, end: number): string[] {
  const args: string[] = [];
  let from = -1;
  for (let i = start; i <= end; i++) {
    const byte = i < end ? buf[i] : SPACE;
    if (byte === SPACE || byte === TAB || byte === CR || byte === LF) {
      if (from >= 0) args.push(decodeText(buf, from, i));
      from = -1;
    } else if (from < 0) {
      from = i;
    }
  }
  return args;
}

/** What a log shows of bytes that broke the protocol. */
export function snippet(buf: Uint8Array, start: number, end: number): string {
  return JSON.stringify(decodeText(buf, start, Math.min(end, start + 32)));
}
