import { hasText } from "../../protocol/bytes.ts";
import type { Message } from "../../protocol/message.ts";
import { decodeText } from "../../protocol/text.ts";

/** Headers of message tracing (ADR-41). */
export const TRACE_DEST = "Nats-Trace-Dest";
export const TRACE_ONLY = "Nats-Trace-Only";
export const TRACE_ORIGIN_ACCOUNT = "Nats-Trace-Origin-Account";

/** The destination that says that a message is not to be traced any more; it is no valid subject. */
export const TRACE_DISABLED = "trace disabled";

const FIRST_LINE = "NATS/1.0\r\n";
const TRACE_PARENT = "traceparent";
const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;
const TAB = 9;
const UPPER_N = 78;
const UPPER_T = 84;
const LOWER_T = 116;

/**
 * Whether a message with headers is worth a look by {@link readTraceHeaders}: it may hold `Nats-Trace-Dest`, or, when `external` is set,
 * `traceparent` in any case. Every message with headers is asked this, so the answer is quick, and "maybe".
 */
export function mayBeTraced(message: Message, external: boolean): boolean {
  const { bytes } = message;
  const last = message.body - TRACE_PARENT.length;
  for (let i = message.start + FIRST_LINE.length; i < last; i++) {
    if (bytes[i - 1] !== LF) continue;
    const first = bytes[i];
    if (first === UPPER_N) {
      if (bytes[i + 5] === UPPER_T && bytes[i + TRACE_DEST.length] === COLON) return true;
    } else if (external && (first | 32) === LOWER_T && bytes[i + TRACE_PARENT.length] === COLON) {
      return true;
    }
  }
  return false;
}

/** The headers of a message that asks to be traced. */
export interface TraceHeaders {
  /** All headers that have a name and a value, as they are spelled. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Whether it is only a sampled `traceparent` that asks. */
  readonly external: boolean;
}

/**
 * Reads the headers of a message if they ask to trace it: by `Nats-Trace-Dest`, or by a `traceparent` with the sampled flag. Undefined when
 * they do not, or when tracing has been disabled on the way.
 */
export function readTraceHeaders(message: Message): TraceHeaders | undefined {
  const { bytes, start, body } = message;
  if (!hasText(bytes, start, FIRST_LINE)) return undefined;
  const headers = new Map<string, string[]>();
  let asked = false;
  let sampled = false;
  for (let i = start + FIRST_LINE.length; i < body; ) {
    const colon = bytes.indexOf(COLON, i);
    if (colon < 0 || colon >= body) break;
    const end = lineEnd(bytes, colon + 1, body);
    if (end < 0) break;
    const name = decodeText(bytes, i, colon);
    const value = trimmed(bytes, colon + 1, end);
    i = end + 2;
    if (name === "" || value === "") continue;
    if (name === TRACE_DEST) {
      if (value === TRACE_DISABLED) return undefined;
      asked = true;
    } else if (name.toLowerCase() === TRACE_PARENT) {
      sampled ||= isSampled(value);
    }
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  return asked || sampled ? { headers, external: !asked } : undefined;
}

function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i + 1 < end; i++) if (bytes[i] === CR && bytes[i + 1] === LF) return i;
  return -1;
}

function trimmed(bytes: Uint8Array, start: number, end: number): string {
  while (start < end && (bytes[start] === SPACE || bytes[start] === TAB)) start += 1;
  while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end -= 1;
  return decodeText(bytes, start, end);
}

/** Whether a `traceparent` has the sampled flag: four parts, the last of which is a signed hexadecimal of two characters, as nats-server reads it. */
function isSampled(value: string): boolean {
  const parts = value.split("-");
  if (parts.length !== 4 || parts[3].length !== 2 || !/^(?:[0-7][0-9a-f]|[+-][0-9a-f])$/i.test(parts[3]))
    return false;
  return (Number.parseInt(parts[3], 16) & 1) === 1;
}

/** The header block without `Nats-Trace-Dest`, and with one at its end that disables tracing for whoever the message goes to. */
export function disableTracing(block: string): string {
  // Its last line is empty: what is added goes before it.
  const lines = block.slice(0, -2).split("\r\n");
  const kept = lines.filter((line) => !line.startsWith(`${TRACE_DEST}:`));
  return `${kept.join("\r\n")}${TRACE_DEST}: ${TRACE_DISABLED}\r\n\r\n`;
}
