import { type Codec, list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { bool, duration, int, text, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp, timestampOf, ZERO_TIME } from "../json/timestamps.ts";
import { shownMetadata } from "../metadata.ts";
import { type ConsumerConfig, consumerConfig } from "./config.ts";

/** A position, as the API shows it. */
export interface SequenceInfo {
  readonly consumerSeq: number;
  readonly streamSeq: number;
  /** When that was; undefined when it was not since the server started. */
  readonly lastActive: Timestamp | undefined;
}

/**
 * A position. @param active - when that was, as `Clock.monotonic` has it; undefined when it was not.
 * @param epoch - the difference to the time since 1970, in ms.
 */
export function sequenceInfoOf(
  { consumer, stream }: { readonly consumer: number; readonly stream: number },
  active: number | undefined,
  epoch: number,
): SequenceInfo {
  const lastActive = active === undefined ? undefined : timestampOf(active + epoch);
  return { consumerSeq: consumer, streamSeq: stream, lastActive };
}

/** A priority group, and who is pinned in it. */
export interface PriorityGroupState {
  readonly group: string;
  /** "" for nobody. */
  readonly pinnedClientId: string;
  readonly pinnedTs: Timestamp | undefined;
}

/** A consumer as the API shows it. */
export interface ConsumerInfo {
  readonly stream: string;
  readonly name: string;
  readonly created: Timestamp;
  readonly config: ConsumerConfig;
  readonly delivered: SequenceInfo;
  readonly ackFloor: SequenceInfo;
  readonly numAckPending: number;
  readonly numRedelivered: number;
  /** Pull requests. */
  readonly numWaiting: number;
  /** Messages that have not been delivered. */
  readonly numPending: number;
  /** Whether somebody listens to what is pushed. */
  readonly pushBound: boolean;
  readonly paused: boolean;
  /** In ms. */
  readonly pauseRemaining: number;
  /** When this was so. */
  readonly ts: Timestamp;
  readonly priorityGroups: readonly PriorityGroupState[];
}

const sequenceInfo = record<SequenceInfo>("SequenceInfo", [
  ["consumer_seq", "consumerSeq", uint64],
  ["stream_seq", "streamSeq", uint64],
  ["last_active", "lastActive", optional(timestamp), OMIT_EMPTY],
]);

const shownConfig: Codec<ConsumerConfig> = {
  ...consumerConfig,
  write: (config) => consumerConfig.write({ ...config, metadata: shownMetadata(config.metadata) }),
};

/** Go writes times that are not set, too. */
const pinnedTime: Codec<Timestamp | undefined> = {
  ...optional(timestamp),
  write: (value) => timestamp.write(value ?? ZERO_TIME),
};

const priorityGroupState = record<PriorityGroupState>("PriorityGroupState", [
  ["group", "group", text],
  ["pinned_client_id", "pinnedClientId", text, OMIT_EMPTY],
  ["pinned_ts", "pinnedTs", pinnedTime],
]);

/** A consumer in JSON, with Go's order of fields. */
export const consumerInfo = infoCodec(shownConfig);

/** A consumer in a list, which does not say the version of the server. */
export const listedConsumerInfo = infoCodec(consumerConfig);

function infoCodec(config: Codec<ConsumerConfig>): Codec<ConsumerInfo> {
  return record<ConsumerInfo>("ConsumerInfo", [
    ["stream_name", "stream", text],
    ["name", "name", text],
    ["created", "created", timestamp],
    ["config", "config", config],
    ["delivered", "delivered", sequenceInfo],
    ["ack_floor", "ackFloor", sequenceInfo],
    ["num_ack_pending", "numAckPending", int],
    ["num_redelivered", "numRedelivered", int],
    ["num_waiting", "numWaiting", int],
    ["num_pending", "numPending", uint64],
    ["push_bound", "pushBound", bool, OMIT_EMPTY],
    ["paused", "paused", bool, OMIT_EMPTY],
    ["pause_remaining", "pauseRemaining", duration, OMIT_EMPTY],
    ["ts", "ts", timestamp],
    ["priority_groups", "priorityGroups", list(priorityGroupState), OMIT_EMPTY],
  ]);
}
