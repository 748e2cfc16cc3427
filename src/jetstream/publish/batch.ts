import { type ApiError, apiError } from "../errors.ts";
import { isRequestSupported } from "../metadata.ts";
import { byteLength } from "../names.ts";
import type { StreamConfig } from "../stream/config.ts";
import { HEADERS, type HeaderValues, withHeader } from "./headers.ts";

/**
 * Batches of messages that are stored all or none (behaviour.md D.5, ADR-50).
 */

/** The longest id of a batch, in bytes. */
export const MAX_BATCH_ID_LENGTH = 64;
const UINT64_MAX = 2n ** 64n - 1n;

/** Limits of batches. */
export interface BatchLimits {
  readonly maxMessages: number;
  readonly maxPerStream: number;
  readonly maxPerServer: number;
}

/** nats-server's. */
export const BATCH_LIMITS: BatchLimits = { maxMessages: 1_000, maxPerStream: 50, maxPerServer: 1_000 };
/** A batch that nothing is heard of for so long is given up, in ms. */
export const BATCH_TIMEOUT_MS = 10_000;

/** Why a batch is given up, as its advisory says. */
export type AbandonReason = "timeout" | "large" | "incomplete" | "unsupported";

/** How a message ends its batch: as its last message, or as an empty one behind the last, which is not stored. */
export type BatchCommit = "last" | "eob" | "invalid" | undefined;

/** What headers say of a batch. */
export interface BatchHeaders {
  readonly id: string;
  /** From 1; undefined when there is none, or it is no number. */
  readonly seq: bigint | undefined;
  readonly commit: BatchCommit;
}

/** Reads the headers of a batch; undefined for a message that is in none. */
export function readBatchHeaders(values: HeaderValues): BatchHeaders | undefined {
  const id = values.get(HEADERS.batchId) ?? "";
  if (id === "") return undefined;
  return {
    id,
    seq: parseSeq(values.get(HEADERS.batchSeq) ?? ""),
    commit: parseCommit(values.get(HEADERS.batchCommit)),
  };
}

function parseSeq(text: string): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const seq = BigInt(text);
  return seq > UINT64_MAX ? undefined : seq;
}

function parseCommit(text: string | undefined): BatchCommit {
  if (text === undefined) return undefined;
  return text === "1" ? "last" : text === "eob" ? "eob" : "invalid";
}

/** The headers of a batch's last message when an empty one behind it has ended the batch: it says so then itself. */
export function endingBatch(headers: Uint8Array | undefined): Uint8Array {
  return withHeader(headers, HEADERS.batchCommit, "1");
}

/** The batches that are open. */
export interface OpenBatches {
  /** The last sequence of this one; undefined when it is not open. */
  readonly lastSeq: bigint | undefined;
  readonly ofStream: number;
  readonly ofServer: number;
}

/** What is to become of a message of a batch. */
export type BatchDecision =
  /** It waits; an empty message answers it. */
  | { readonly kind: "stage"; readonly opens: boolean }
  /** The batch is complete. With "eob" this message is not part of it. */
  | { readonly kind: "commit"; readonly opens: boolean; readonly count: number }
  /** The batch, if it is open, is given up; an advisory says why, if there is a reason. */
  | {
      readonly kind: "refuse";
      readonly error: ApiError;
      readonly closes: boolean;
      readonly reason: AbandonReason | undefined;
    };

/**
 * Decides about a message of a batch, once the stream is known not to be sealed and to have room for it (nats-server
 * `processJetStreamAtomicBatchMsg`). The header `Nats-Required-Api-Level` is not stored.
 */
export function decideBatch(
  batch: BatchHeaders,
  values: HeaderValues,
  config: StreamConfig,
  open: OpenBatches,
  limits: BatchLimits = BATCH_LIMITS,
): BatchDecision {
  const { seq, commit } = batch;
  if (!config.allowAtomic) return refuse(apiError(10174));
  if (byteLength(batch.id) > MAX_BATCH_ID_LENGTH) return refuse(apiError(10179));
  if (seq === undefined) return refuse(apiError(10175));
  const size = commit === "eob" ? seq - 1n : seq;
  const tooLarge = size > BigInt(limits.maxMessages);
  const largeError = (): ApiError => apiError(10199, { size: limits.maxMessages });
  const opens = open.lastSeq === undefined;
  if (opens) {
    if (seq !== 1n) return refuse(tooLarge ? largeError() : apiError(10176));
    if (open.ofStream >= limits.maxPerStream || open.ofServer >= limits.maxPerServer)
      return refuse(apiError(10210));
  }
  if (commit === "invalid") return close(apiError(10200));
  if (!isRequestSupported(values.get(HEADERS.requiredApiLevel) ?? ""))
    return close(apiError(10185), "unsupported");
  const gap = (open.lastSeq ?? 0n) + 1n !== seq;
  if (gap || (seq === 1n && commit === "eob")) return close(apiError(10176), "incomplete");
  if (tooLarge) return close(largeError(), "large");
  if (commit === undefined) return { kind: "stage", opens };
  return { kind: "commit", opens, count: Number(size) };
}

function refuse(error: ApiError): BatchDecision {
  return { kind: "refuse", error, closes: false, reason: undefined };
}

function close(error: ApiError, reason?: AbandonReason): BatchDecision {
  return { kind: "refuse", error, closes: true, reason };
}
