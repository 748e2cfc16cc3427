import { list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { int, mapOf, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";

/** Messages that were lost to damage. */
export interface LostInfo {
  readonly msgs: readonly number[];
  readonly bytes: number;
}

/** A stream's state as the API shows it. Lists and counts that are empty are left out. */
export interface StreamStateInfo {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly firstTs: Timestamp;
  readonly lastSeq: number;
  readonly lastTs: Timestamp;
  readonly numSubjects: number;
  /** How many messages there are on each subject; empty when that was not asked for. */
  readonly subjects: Readonly<Record<string, number>>;
  readonly numDeleted: number;
  /** Empty when that was not asked for. */
  readonly deleted: readonly number[];
  readonly lost: LostInfo | undefined;
  readonly consumerCount: number;
}

/** A stream's state in JSON. */
export const streamState = record<StreamStateInfo>("StreamState", [
  ["messages", "messages", uint64],
  ["bytes", "bytes", uint64],
  ["first_seq", "firstSeq", uint64],
  ["first_ts", "firstTs", timestamp],
  ["last_seq", "lastSeq", uint64],
  ["last_ts", "lastTs", timestamp],
  ["num_subjects", "numSubjects", int, OMIT_EMPTY],
  ["subjects", "subjects", mapOf(uint64), OMIT_EMPTY],
  ["num_deleted", "numDeleted", int, OMIT_EMPTY],
  ["deleted", "deleted", list(uint64), OMIT_EMPTY],
  [
    "lost",
    "lost",
    optional(
      record<LostInfo>("LostStreamData", [
        ["msgs", "msgs", list(uint64)],
        ["bytes", "bytes", uint64],
      ]),
    ),
    OMIT_EMPTY,
  ],
  ["consumer_count", "consumerCount", int],
]);
