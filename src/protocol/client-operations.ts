import { SPACE, TAB } from "./line.ts";

/** What has come may still become an operation. */
export const NEED_MORE = 0;
/** What has come is no operation, whatever follows. */
export const BAD = -1;

// The operations a client may send.
export const PUB = 1;
export const HPUB = 2;
export const SUB = 3;
export const UNSUB = 4;
export const PING = 5;
export const PONG = 6;
export const CONNECT = 7;
export const INFO = 8;
export const OK = 9;
export const ERR = 10;

/** Name, and whether a separator must follow it (nats-server's parser takes `CONNECT{`, but not `PUB{`). */
const OPERATIONS: readonly [code: number, name: string, separated: boolean][] = [
  [PUB, "PUB", true],
  [PING, "PING", false],
  [PONG, "PONG", false],
  [HPUB, "HPUB", true],
  [SUB, "SUB", true],
  [UNSUB, "UNSUB", true],
  [CONNECT, "CONNECT", false],
  [INFO, "INFO", false],
  [OK, "+OK", false],
  [ERR, "-ERR", true],
];

/** Which operation begins at `pos`: one of those above, {@link NEED_MORE} or {@link BAD}. Case does not matter. */
export function operationAt(buf: Uint8Array, pos: number, end: number): number {
  let partial = false;
  for (const [code, name, separated] of OPERATIONS) {
    let i = 0;
    while (i < name.length && pos + i < end && upper(buf[pos + i]) === name.charCodeAt(i)) i += 1;
    if (i < name.length) {
      if (pos + i === end) partial = true;
      continue;
    }
    if (!separated) return code;
    if (pos + i === end) return NEED_MORE;
    return buf[pos + i] === SPACE || buf[pos + i] === TAB ? code : BAD;
  }
  return partial ? NEED_MORE : BAD;
}

/** How many bytes an operation's name has. */
export function nameLength(operation: number): number {
  return rowOf(operation)[1].length;
}

/** How many bytes come before an operation's arguments: the name, and the separator where there must be one. */
export function argumentsStart(operation: number): number {
  const [, name, separated] = rowOf(operation);
  return name.length + (separated ? 1 : 0);
}

function rowOf(operation: number): (typeof OPERATIONS)[number] {
  return OPERATIONS.find(([code]) => code === operation)!;
}

function upper(byte: number): number {
  return byte >= 97 && byte <= 122 ? byte - 32 : byte;
}
