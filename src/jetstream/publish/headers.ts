import { ascii, hasText } from "../../protocol/bytes.ts";
import { decodeText, EMPTY, encodeText } from "../../protocol/text.ts";

/**
 * Headers of messages that JetStream knows (behaviour.md D.4 to D.7), and header blocks: read, and with a line more or less.
 */

/** The names of headers that a publish is decided by. */
export const HEADERS = {
  msgId: "Nats-Msg-Id",
  expectedStream: "Nats-Expected-Stream",
  expectedLastSeq: "Nats-Expected-Last-Sequence",
  expectedLastSubjectSeq: "Nats-Expected-Last-Subject-Sequence",
  expectedLastSubjectSeqSubject: "Nats-Expected-Last-Subject-Sequence-Subject",
  expectedLastMsgId: "Nats-Expected-Last-Msg-Id",
  streamSource: "Nats-Stream-Source",
  rollup: "Nats-Rollup",
  ttl: "Nats-TTL",
  incr: "Nats-Incr",
  counterSources: "Nats-Counter-Sources",
  batchId: "Nats-Batch-Id",
  batchSeq: "Nats-Batch-Sequence",
  batchCommit: "Nats-Batch-Commit",
  schedule: "Nats-Schedule",
  scheduleTimeZone: "Nats-Schedule-Time-Zone",
  scheduleTtl: "Nats-Schedule-TTL",
  scheduleRollup: "Nats-Schedule-Rollup",
  scheduleTarget: "Nats-Schedule-Target",
  scheduleSource: "Nats-Schedule-Source",
  scheduler: "Nats-Scheduler",
  scheduleNext: "Nats-Schedule-Next",
  requestInfo: "Nats-Request-Info",
  requiredApiLevel: "Nats-Required-Api-Level",
  markerReason: "Nats-Marker-Reason",
} as const;

const KNOWN: ReadonlySet<string> = new Set(Object.values(HEADERS));

const FIRST_LINE = ascii("NATS/1.0\r\n");
const END = ascii("\r\n");
const PREFIX = "Nats-";
const LONGEST_NAME = Math.max(...[...KNOWN].map((name) => name.length));
const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;

/** The headers of a message that JetStream knows; of several with one name, the first. */
export type HeaderValues = ReadonlyMap<string, string>;

const NONE: HeaderValues = new Map();

/** Reads the headers that JetStream knows. Names are case-sensitive; spaces before a value do not belong to it. */
export function readHeaders(block: Uint8Array | undefined): HeaderValues {
  if (block === undefined) return NONE;
  let found: Map<string, string> | undefined;
  for (let i = lineEnd(block, 0) + 2; i < block.length; ) {
    const end = lineEnd(block, i);
    if (hasText(block, i, PREFIX)) {
      const colon = block.subarray(i, Math.min(end, i + LONGEST_NAME + 1)).indexOf(COLON);
      const name = colon < 0 ? "" : decodeText(block, i, i + colon);
      if (KNOWN.has(name)) {
        found ??= new Map();
        if (!found.has(name)) found.set(name, valueAt(block, i + colon + 1, end));
      }
    }
    i = end + 2;
  }
  return found ?? NONE;
}

function valueAt(block: Uint8Array, start: number, end: number): string {
  while (start < end && block[start] === SPACE) start += 1;
  return decodeText(block, start, end);
}

/** Where the line that `start` is in ends: at its CR LF, or at the block's end. */
function lineEnd(block: Uint8Array, start: number): number {
  for (let i = start; i < block.length - 1; i++) if (block[i] === CR && block[i + 1] === LF) return i;
  return block.length;
}

/** The value of a header, of several with one name the first; for those that {@link readHeaders} does not know. */
export function headerValue(block: Uint8Array | undefined, name: string): string | undefined {
  const start = block === undefined ? -1 : lineOf(block, name);
  if (block === undefined || start < 0) return undefined;
  return valueAt(block, start + name.length + 1, lineEnd(block, start));
}

/** A block with one more line at its end; of nothing, a new block. */
export function withHeader(block: Uint8Array | undefined, name: string, value: string): Uint8Array {
  const line = encodeText(`${name}: ${value.replace(/[\r\n]/g, " ").trim()}\r\n`);
  const before =
    block !== undefined && block.length > END.length ? block.subarray(0, -END.length) : FIRST_LINE;
  return joined(before, line, END);
}

/** A block in which a header has this value: the first of that name is changed, or a line put at the end. */
export function replacingHeader(block: Uint8Array | undefined, name: string, value: string): Uint8Array {
  const start = block === undefined ? -1 : lineOf(block, name);
  if (block === undefined || start < 0) return withHeader(block, name, value);
  let from = start + name.length + 1;
  if (block[from] === SPACE) from += 1;
  return joined(block.subarray(0, from), encodeText(value), block.subarray(lineEnd(block, start)));
}

/** A block without the headers that `matches` names; nothing when none is left. */
export function withoutHeaders(
  block: Uint8Array | undefined,
  matches: (name: string) => boolean,
): Uint8Array | undefined {
  if (block === undefined) return undefined;
  const kept: Uint8Array[] = [];
  let from = 0;
  for (let i = lineEnd(block, 0) + 2; i < block.length; ) {
    const end = lineEnd(block, i);
    const colon = block.subarray(i, end).indexOf(COLON);
    if (colon >= 0 && matches(decodeText(block, i, i + colon))) {
      kept.push(block.subarray(from, i));
      from = end + 2;
    }
    i = end + 2;
  }
  if (from === 0) return block;
  const rest = joined(...kept, block.subarray(from));
  return rest.length <= FIRST_LINE.length + END.length ? undefined : rest;
}

function lineOf(block: Uint8Array, name: string): number {
  const wanted = `${name}:`;
  for (let i = lineEnd(block, 0) + 2; i < block.length; i = lineEnd(block, i) + 2) {
    if (hasText(block, i, wanted)) return i;
  }
  return -1;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole =
    parts.length === 0 ? EMPTY : new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A number of a header as nats-server reads it (`parseInt64`): decimal digits only; undefined for anything else, which there is -1.
 */
export function parseDigits(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
