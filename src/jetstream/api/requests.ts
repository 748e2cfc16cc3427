import { type ApiError, apiError } from "../errors.ts";
import { type Field, OMIT_EMPTY, record } from "../json/codec.ts";
import { bool, int, text, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";
import { type StreamConfig, streamConfig } from "../stream/config.ts";
import { type StreamStateInfo, streamState } from "../stream/state.ts";

/**
 * The bodies of the API's smaller requests (behaviour.md D.1). 0 and "" are what is not set.
 */

/** From which element on a list is wanted. */
export interface PagedRequest {
  readonly offset: number;
}

const PAGED: readonly Field<PagedRequest>[] = [["offset", "offset", int]];

/** `CONSUMER.NAMES`, `CONSUMER.LIST`. */
export const consumersRequest = record<PagedRequest>("JSApiConsumersRequest", [], ["ApiPagedRequest", PAGED]);

/** Which streams are wanted. */
export interface StreamsRequest extends PagedRequest {
  /** Those that have a subject in common with this. */
  readonly subject: string;
}

const SUBJECT: readonly Field<StreamsRequest>[] = [["subject", "subject", text, OMIT_EMPTY]];
const PAGED_STREAMS = PAGED as readonly Field<StreamsRequest>[];

/** `STREAM.NAMES`. */
export const streamNamesRequest = record<StreamsRequest>("JSApiStreamNamesRequest", SUBJECT, [
  "ApiPagedRequest",
  PAGED_STREAMS,
]);
/** `STREAM.LIST`. */
export const streamListRequest = record<StreamsRequest>("JSApiStreamListRequest", SUBJECT, [
  "ApiPagedRequest",
  PAGED_STREAMS,
]);

/** What is wanted besides a stream's configuration and state. */
export interface StreamInfoRequest extends PagedRequest {
  readonly deletedDetails: boolean;
  readonly subjectsFilter: string;
}

/** `STREAM.INFO`. */
export const streamInfoRequest = record<StreamInfoRequest>(
  "JSApiStreamInfoRequest",
  [
    ["deleted_details", "deletedDetails", bool, OMIT_EMPTY],
    ["subjects_filter", "subjectsFilter", text, OMIT_EMPTY],
  ],
  ["ApiPagedRequest", PAGED as readonly Field<StreamInfoRequest>[]],
);

/** What is purged: on these subjects, below this sequence, but for the last so many. */
export interface StreamPurgeRequest {
  readonly seq: number;
  readonly filter: string;
  readonly keep: number;
}

/** `STREAM.PURGE`. */
export const streamPurgeRequest = record<StreamPurgeRequest>("JSApiStreamPurgeRequest", [
  ["seq", "seq", uint64, OMIT_EMPTY],
  ["filter", "filter", text, OMIT_EMPTY],
  ["keep", "keep", uint64, OMIT_EMPTY],
]);

/** Whether the body of a purge asks for a part; anything that is no object or list asks for all. */
export function isPartialPurge(body: Uint8Array): boolean {
  const first = body.find((code) => code !== 0x20 && (code < 0x09 || code > 0x0d));
  return first === 0x7b || first === 0x5b;
}

/** Why a purge cannot be done, whatever the stream holds; undefined when it can. */
export function refusedPurge(purge: StreamPurgeRequest): ApiError | undefined {
  return purge.seq > 0 && purge.keep > 0 ? apiError(10003) : undefined;
}

/** Why a stream cannot be purged; undefined when it can. */
export function refusedByStream({ sealed, denyPurge }: StreamConfig): ApiError | undefined {
  if (sealed) return apiError(10109);
  return denyPurge ? apiError(10110, { err: "stream purge not permitted" }) : undefined;
}

/** `STREAM.MSG.DELETE`. */
export const messageDeleteRequest = record<{ readonly seq: number; readonly noErase: boolean }>(
  "JSApiMsgDeleteRequest",
  [
    ["seq", "seq", uint64],
    ["no_erase", "noErase", bool, OMIT_EMPTY],
  ],
);

/** How a snapshot is to be sent. Sizes are in bytes. */
export interface SnapshotRequest {
  readonly deliverSubject: string;
  readonly noConsumers: boolean;
  readonly chunkSize: number;
  readonly windowSize: number;
  /** Whether to check all messages first. */
  readonly jsck: boolean;
}

/** `STREAM.SNAPSHOT`. */
export const snapshotRequest = record<SnapshotRequest>("JSApiStreamSnapshotRequest", [
  ["deliver_subject", "deliverSubject", text],
  ["no_consumers", "noConsumers", bool, OMIT_EMPTY],
  ["chunk_size", "chunkSize", int, OMIT_EMPTY],
  ["window_size", "windowSize", int, OMIT_EMPTY],
  ["jsck", "jsck", bool, OMIT_EMPTY],
]);

/** `STREAM.RESTORE`. */
export const restoreRequest = record<{ readonly config: StreamConfig; readonly state: StreamStateInfo }>(
  "JSApiStreamRestoreRequest",
  [
    ["config", "config", streamConfig],
    ["state", "state", streamState],
  ],
);

/** `CONSUMER.PAUSE`; without a moment, or with one that is past, the consumer goes on. */
export const pauseRequest = record<{ readonly pauseUntil: Timestamp }>("JSApiConsumerPauseRequest", [
  ["pause_until", "pauseUntil", timestamp],
]);

/** `CONSUMER.UNPIN`. */
export const unpinRequest = record<{ readonly group: string }>("JSApiConsumerUnpinRequest", [
  ["group", "group", text],
]);

/** `CONSUMER.RESET`; 0 is behind the last that is acknowledged. */
export const resetRequest = record<{ readonly seq: number }>("JSApiConsumerResetRequest", [
  ["seq", "seq", uint64, OMIT_EMPTY],
]);
