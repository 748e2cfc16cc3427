import { type ConsumerConfig, consumerConfig } from "../consumer/config.ts";
import { type Codec, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { int64, mapOf, uint64 } from "../json/scalars.ts";
import type { ConsumerState } from "./consumer-state.ts";

interface PairJson {
  readonly consumer: number;
  readonly stream: number;
}

interface PendingJson {
  readonly consumerSeq: number;
  /** In nanoseconds: a `number` holds them to less than a microsecond. */
  readonly timestamp: number;
}

interface StateJson {
  readonly delivered: PairJson;
  readonly ackFloor: PairJson;
  readonly pending: Readonly<Record<string, PendingJson>>;
  readonly redelivered: Readonly<Record<string, number>>;
}

/** A consumer in an archive. */
export interface ConsumerJson {
  readonly config: ConsumerConfig | undefined;
  readonly state: StateJson | undefined;
}

const pair = record<PairJson>("SequencePair", [
  ["consumer_seq", "consumer", uint64],
  ["stream_seq", "stream", uint64],
]);

const pending: Codec<PendingJson> = record<PendingJson>("Pending", [
  ["Sequence", "consumerSeq", uint64],
  ["Timestamp", "timestamp", int64],
]);

const state = record<StateJson>("ConsumerState", [
  ["delivered", "delivered", pair],
  ["ack_floor", "ackFloor", pair],
  ["pending", "pending", mapOf(pending), OMIT_EMPTY],
  ["redelivered", "redelivered", mapOf(uint64), OMIT_EMPTY],
]);

/** A consumer in an archive, in JSON. */
export const consumerJson = record<ConsumerJson>("SnapshotConsumerState", [
  ["config", "config", optional(consumerConfig)],
  ["state", "state", optional(state)],
]);

const NS = 1e6;

/** A state as it is in JSON. */
export function stateToJson({ delivered, ackFloor, pending, redelivered }: ConsumerState): StateJson {
  return {
    delivered,
    ackFloor,
    pending: Object.fromEntries(
      [...pending].map(([seq, { consumerSeq, time }]) => [seq, { consumerSeq, timestamp: time * NS }]),
    ),
    redelivered: Object.fromEntries(redelivered),
  };
}

/** The reverse of {@link stateToJson}. */
export function stateFromJson({ delivered, ackFloor, pending, redelivered }: StateJson): ConsumerState {
  return {
    delivered,
    ackFloor,
    pending: new Map(
      Object.entries(pending).map(([seq, { consumerSeq, timestamp }]) => [
        Number(seq),
        { consumerSeq, time: timestamp / NS },
      ]),
    ),
    redelivered: new Map(Object.entries(redelivered).map(([seq, count]) => [Number(seq), count])),
  };
}
