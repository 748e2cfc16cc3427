import { type Field, list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { bool, choice, duration, int, text, textMap, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";
import { cannotUnmarshal } from "../stream/config.ts";

/** Which message a consumer begins with. */
export type DeliverPolicy =
  | "all"
  | "last"
  | "new"
  | "by_start_sequence"
  | "by_start_time"
  | "last_per_subject";
/** What must be acknowledged: nothing, each message, each with all before it, or as the answers to flow control say. */
export type AckPolicy = "none" | "all" | "explicit" | "flow_control";
/** How fast old messages come: at once, or as they came in. */
export type ReplayPolicy = "instant" | "original";
/** Which of several clients gets messages. */
export type PriorityPolicy = "none" | "overflow" | "pinned_client" | "prioritized";
/** What a request for a consumer may do: anything, only change one that there is, or only make a new one. */
export type ConsumerAction = "" | "create" | "update";

/** A consumer's configuration (behaviour.md D.10). Spans are in ms, sizes in bytes; 0 and "" are what is not set. */
export interface ConsumerConfig {
  readonly durableName: string;
  readonly name: string;
  readonly description: string;
  readonly deliverPolicy: DeliverPolicy;
  readonly optStartSeq: number;
  readonly optStartTime: Timestamp | undefined;
  readonly ackPolicy: AckPolicy;
  readonly ackWait: number;
  readonly maxDeliver: number;
  readonly backoff: readonly number[];
  readonly filterSubject: string;
  readonly filterSubjects: readonly string[];
  readonly replayPolicy: ReplayPolicy;
  /** In bits a second. */
  readonly rateLimitBps: number;
  readonly sampleFreq: string;
  readonly maxWaiting: number;
  readonly maxAckPending: number;
  readonly flowControl: boolean;
  readonly headersOnly: boolean;
  readonly maxBatch: number;
  readonly maxExpires: number;
  readonly maxBytes: number;
  /** Of a push consumer: where messages go. A pull consumer has none. */
  readonly deliverSubject: string;
  readonly deliverGroup: string;
  readonly idleHeartbeat: number;
  readonly inactiveThreshold: number;
  readonly numReplicas: number;
  readonly memStorage: boolean;
  /** One that a mirror or a source of another stream made, and that is not shown to clients. */
  readonly direct: boolean;
  readonly sourcing: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly pauseUntil: Timestamp | undefined;
  readonly priorityGroups: readonly string[];
  readonly priorityPolicy: PriorityPolicy;
  readonly priorityTimeout: number;
}

/** What a request to create or update a consumer holds. */
export interface CreateConsumerRequest {
  readonly streamName: string;
  readonly config: ConsumerConfig;
  readonly action: ConsumerAction;
  /** Whether to refuse what would be put right otherwise. */
  readonly pedantic: boolean;
}

const FIELDS: readonly Field<ConsumerConfig>[] = [
  ["durable_name", "durableName", text, OMIT_EMPTY],
  ["name", "name", text, OMIT_EMPTY],
  ["description", "description", text, OMIT_EMPTY],
  [
    "deliver_policy",
    "deliverPolicy",
    choice<DeliverPolicy>(
      "server.DeliverPolicy",
      ["all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"],
      cannotUnmarshal,
      { read: { '"undefined"': "all" } },
    ),
  ],
  ["opt_start_seq", "optStartSeq", uint64, OMIT_EMPTY],
  ["opt_start_time", "optStartTime", optional(timestamp), OMIT_EMPTY],
  [
    "ack_policy",
    "ackPolicy",
    choice<AckPolicy>("server.AckPolicy", ["none", "all", "explicit", "flow_control"], cannotUnmarshal),
  ],
  ["ack_wait", "ackWait", duration, OMIT_EMPTY],
  ["max_deliver", "maxDeliver", int, OMIT_EMPTY],
  ["backoff", "backoff", list(duration), OMIT_EMPTY],
  ["filter_subject", "filterSubject", text, OMIT_EMPTY],
  ["filter_subjects", "filterSubjects", list(text), OMIT_EMPTY],
  [
    "replay_policy",
    "replayPolicy",
    choice<ReplayPolicy>("server.ReplayPolicy", ["instant", "original"], cannotUnmarshal),
  ],
  ["rate_limit_bps", "rateLimitBps", uint64, OMIT_EMPTY],
  ["sample_freq", "sampleFreq", text, OMIT_EMPTY],
  ["max_waiting", "maxWaiting", int, OMIT_EMPTY],
  ["max_ack_pending", "maxAckPending", int, OMIT_EMPTY],
  ["flow_control", "flowControl", bool, OMIT_EMPTY],
  ["headers_only", "headersOnly", bool, OMIT_EMPTY],
  ["max_batch", "maxBatch", int, OMIT_EMPTY],
  ["max_expires", "maxExpires", duration, OMIT_EMPTY],
  ["max_bytes", "maxBytes", int, OMIT_EMPTY],
  ["deliver_subject", "deliverSubject", text, OMIT_EMPTY],
  ["deliver_group", "deliverGroup", text, OMIT_EMPTY],
  ["idle_heartbeat", "idleHeartbeat", duration, OMIT_EMPTY],
  ["inactive_threshold", "inactiveThreshold", duration, OMIT_EMPTY],
  ["num_replicas", "numReplicas", int],
  ["mem_storage", "memStorage", bool, OMIT_EMPTY],
  ["direct", "direct", bool, OMIT_EMPTY],
  ["sourcing", "sourcing", bool, OMIT_EMPTY],
  ["metadata", "metadata", textMap, OMIT_EMPTY],
  ["pause_until", "pauseUntil", optional(timestamp), OMIT_EMPTY],
  ["priority_groups", "priorityGroups", list(text), OMIT_EMPTY],
  [
    "priority_policy",
    "priorityPolicy",
    choice<PriorityPolicy>(
      "server.PriorityPolicy",
      ["none", "overflow", "pinned_client", "prioritized"],
      (raw) => `unknown priority policy: ${raw}`,
    ),
    OMIT_EMPTY,
  ],
  ["priority_timeout", "priorityTimeout", duration, OMIT_EMPTY],
];

/** A consumer's configuration in JSON, with Go's order of fields and what it leaves out. */
export const consumerConfig = record<ConsumerConfig>("ConsumerConfig", FIELDS);

/** A request for a consumer in JSON. */
export const createConsumerRequest = record<CreateConsumerRequest>("CreateConsumerRequest", [
  ["stream_name", "streamName", text],
  ["config", "config", consumerConfig],
  [
    "action",
    "action",
    choice<ConsumerAction>(
      "server.ConsumerAction",
      ["", "create", "update"],
      (raw) => `unknown consumer action: ${raw}`,
    ),
  ],
  ["pedantic", "pedantic", bool, OMIT_EMPTY],
]);

/** Whether two configurations are the same, field by field. */
export function sameConsumerConfig(one: ConsumerConfig, other: ConsumerConfig): boolean {
  return consumerConfig.write(one) === consumerConfig.write(other);
}

/** Whether messages are pushed: a pull consumer has nowhere to send them. */
export function isPush(config: ConsumerConfig): boolean {
  return config.deliverSubject !== "";
}

/** The subjects that a consumer wants; none are all of the stream. */
export function filtersOf({ filterSubject, filterSubjects }: ConsumerConfig): readonly string[] {
  return filterSubject === "" ? filterSubjects : [...filterSubjects, filterSubject];
}
