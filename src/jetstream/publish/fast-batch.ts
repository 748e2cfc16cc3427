import { escapeJson } from "../../protocol/go-format.ts";
import { encodeText } from "../../protocol/text.ts";
import type { ApiError } from "../errors.ts";
import { parseDigits } from "./headers.ts";

/**
 * Fast ingest (behaviour.md D.6): a batch is led by the subjects that answers go to, `<inbox>.<id>.<flow>.<gap>.<seq>.<operation>.$FI`.
 */

const SUFFIX = ".$FI";
/** The code of its last letter. */
const LETTER_I = 73;
/** What a number of an operation asks for. */
const OPERATIONS = ["start", "append", "commit", "commit-eob", "ping"] as const;
const DEFAULT_FLOW = 10;
const MAX_FLOW = 65_535;
const UINT64_MAX = 2n ** 64n - 1n;

/** The most batches that may be open, where nothing else is said. */
export const FAST_BATCH_LIMITS = { maxPerStream: 1_000, maxPerServer: 50_000 } as const;
/** The most messages for which there is one acknowledgement. */
export const MAX_ACK_MESSAGES = 500;

/** What a reply subject says of a batch. */
export interface FastBatch {
  readonly id: string;
  readonly seq: bigint;
  readonly operation: (typeof OPERATIONS)[number];
  /** After how many messages the client wants to hear, at most. */
  readonly flow: number;
  /** Whether messages may be missing. */
  readonly gapOk: boolean;
}

/** Whether a reply subject is one of fast ingest's: then its message is in a batch, or is refused. */
export function isFastReply(reply: string): boolean {
  return (
    reply.length > SUFFIX.length && reply.charCodeAt(reply.length - 1) === LETTER_I && reply.endsWith(SUFFIX)
  );
}

/** Reads a reply subject: undefined when it is none of fast ingest's, "invalid" when it is one that cannot be read (error 10206). */
export function parseFastBatch(reply: string): FastBatch | "invalid" | undefined {
  if (!isFastReply(reply)) return undefined;
  const tokens = reply.slice(0, -SUFFIX.length).split(".");
  const [id, flowText, gap, seqText, operationText] = tokens.slice(-5);
  if (tokens.length < 6) return "invalid";
  const operation = OPERATIONS[parseDigits(operationText) ?? -1];
  const seq = /^\d+$/.test(seqText) ? BigInt(seqText) : 0n;
  if (operation === undefined || seq === 0n || seq >= UINT64_MAX) return "invalid";
  if (operation === "commit-eob" && seq === 1n) return "invalid";
  if (operation === "start" ? seq !== 1n : operation === "append" && seq === 1n) return "invalid";
  if (gap !== "fail" && gap !== "ok") return "invalid";
  const flow = parseDigits(flowText) ?? 0;
  return {
    id,
    seq,
    operation,
    gapOk: gap === "ok",
    flow: flow === 0 ? DEFAULT_FLOW : Math.min(flow, MAX_FLOW),
  };
}

/** After `seq` was stored; there will be another such message after `messages` more. */
export function flowAck(seq: bigint, messages: number): Uint8Array {
  return encodeText(`{"type":"ack","seq":${seq},"msgs":${messages}}`);
}

/** Messages from `expected` on are missing up to `seq`, which has come. */
export function flowGap(expected: bigint, seq: bigint): Uint8Array {
  return encodeText(`{"type":"gap","last_seq":${expected},"seq":${seq}}`);
}

/** A message is refused. */
export function flowError(seq: bigint, error: ApiError): Uint8Array {
  return encodeText(escapeJson(`{"type":"err","seq":${seq},"error":${JSON.stringify(error)}}`));
}
