import { quote } from "../../protocol/faults.ts";
import { type Codec, type Field, JsonValueError, list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { bool, choice, duration, int, int32, int64, text, textMap, uint64 } from "../json/scalars.ts";
import { type StreamSource, type SubjectTransformConfig, streamSource, subjectTransform } from "./source.ts";

/** How long a stream keeps its messages: until a limit is reached, while a consumer has interest, or until one has acknowledged. */
export type RetentionPolicy = "limits" | "interest" | "workqueue";
/** What gives way at a limit: the oldest messages, or the new one. */
export type DiscardPolicy = "old" | "new";
/** Where messages are kept. */
export type StorageType = "file" | "memory";
/** How files are compressed. */
export type StoreCompression = "none" | "s2";
/** Whether messages are on disk before their publishers hear so. */
export type PersistMode = "default" | "async";

/** Where in a cluster a stream should be. A single server keeps it, and does nothing with it. */
export interface Placement {
  readonly cluster: string;
  readonly tags: readonly string[];
  readonly preferred: string;
}

/** Where stored messages are published again. */
export interface Republish {
  readonly src: string;
  readonly dest: string;
  readonly headersOnly: boolean;
}

/** Defaults and limits for the consumers of a stream; 0 is none. */
export interface StreamConsumerLimits {
  /** In ms. */
  readonly inactiveThreshold: number;
  readonly maxAckPending: number;
}

/** A stream's configuration (behaviour.md D.2). -1 is no limit; spans are in ms, sizes in bytes. */
export interface StreamConfig {
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: RetentionPolicy;
  readonly maxConsumers: number;
  readonly maxMsgs: number;
  readonly maxBytes: number;
  readonly maxAge: number;
  readonly maxMsgsPerSubject: number;
  readonly maxMsgSize: number;
  readonly discard: DiscardPolicy;
  readonly storage: StorageType;
  readonly numReplicas: number;
  readonly noAck: boolean;
  /** How long the ids of messages are remembered, so that a second one is dropped. */
  readonly duplicateWindow: number;
  readonly placement: Placement | undefined;
  readonly mirror: StreamSource | undefined;
  readonly sources: readonly StreamSource[];
  readonly compression: StoreCompression;
  readonly firstSeq: number;
  readonly subjectTransform: SubjectTransformConfig | undefined;
  readonly republish: Republish | undefined;
  readonly allowDirect: boolean;
  readonly mirrorDirect: boolean;
  readonly discardNewPerSubject: boolean;
  readonly sealed: boolean;
  readonly denyDelete: boolean;
  readonly denyPurge: boolean;
  readonly allowRollupHdrs: boolean;
  readonly consumerLimits: StreamConsumerLimits;
  readonly allowMsgTtl: boolean;
  readonly subjectDeleteMarkerTtl: number;
  readonly allowMsgCounter: boolean;
  readonly allowAtomic: boolean;
  readonly allowMsgSchedules: boolean;
  readonly persistMode: PersistMode;
  readonly allowBatched: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What `STREAM.CREATE` and `STREAM.UPDATE` are asked with. */
export interface StreamConfigRequest extends StreamConfig {
  /** Whether to refuse what would be put right otherwise. */
  readonly pedantic: boolean;
}

const placement = record<Placement>("Placement", [
  ["cluster", "cluster", text, OMIT_EMPTY],
  ["tags", "tags", list(text), OMIT_EMPTY],
  ["preferred", "preferred", text, OMIT_EMPTY],
]);

const republish = record<Republish>("RePublish", [
  ["src", "src", text, OMIT_EMPTY],
  ["dest", "dest", text],
  ["headers_only", "headersOnly", bool, OMIT_EMPTY],
]);

const consumerLimits = record<StreamConsumerLimits>("StreamConsumerLimits", [
  ["inactive_threshold", "inactiveThreshold", duration, OMIT_EMPTY],
  ["max_ack_pending", "maxAckPending", int, OMIT_EMPTY],
]);

/** What nats-server says of a word that is none of those a field may have. */
export function cannotUnmarshal(raw: string): string {
  return `can not unmarshal ${quote(raw)}`;
}

const compressionWords = choice<StoreCompression>(
  "server.StoreCompression",
  ["none", "s2"],
  () => "unknown compression algorithm",
);

const compression: Codec<StoreCompression> = {
  ...compressionWords,
  read(node, decoding, current) {
    // Unlike the other words, this one is first read as a text.
    if (node.kind === "string" || node.kind === "null") return compressionWords.read(node, decoding, current);
    throw new JsonValueError(decoding.mismatchText(node, "string"));
  },
};

const FIELDS: readonly Field<StreamConfig>[] = [
  ["name", "name", text],
  ["description", "description", text, OMIT_EMPTY],
  ["subjects", "subjects", list(text), OMIT_EMPTY],
  [
    "retention",
    "retention",
    choice<RetentionPolicy>("server.RetentionPolicy", ["limits", "interest", "workqueue"], cannotUnmarshal),
  ],
  ["max_consumers", "maxConsumers", int],
  ["max_msgs", "maxMsgs", int64],
  ["max_bytes", "maxBytes", int64],
  ["max_age", "maxAge", duration],
  ["max_msgs_per_subject", "maxMsgsPerSubject", int64],
  ["max_msg_size", "maxMsgSize", int32, OMIT_EMPTY],
  [
    "discard",
    "discard",
    choice<DiscardPolicy>("server.DiscardPolicy", ["old", "new"], cannotUnmarshal, { anyCase: true }),
  ],
  ["storage", "storage", choice<StorageType>("server.StorageType", ["file", "memory"], cannotUnmarshal)],
  ["num_replicas", "numReplicas", int],
  ["no_ack", "noAck", bool, OMIT_EMPTY],
  ["duplicate_window", "duplicateWindow", duration, OMIT_EMPTY],
  ["placement", "placement", optional(placement), OMIT_EMPTY],
  ["mirror", "mirror", optional(streamSource), OMIT_EMPTY],
  ["sources", "sources", list(streamSource, "[]*server.StreamSource"), OMIT_EMPTY],
  ["compression", "compression", compression],
  ["first_seq", "firstSeq", uint64, OMIT_EMPTY],
  ["subject_transform", "subjectTransform", optional(subjectTransform), OMIT_EMPTY],
  ["republish", "republish", optional(republish), OMIT_EMPTY],
  ["allow_direct", "allowDirect", bool],
  ["mirror_direct", "mirrorDirect", bool],
  ["discard_new_per_subject", "discardNewPerSubject", bool, OMIT_EMPTY],
  ["sealed", "sealed", bool],
  ["deny_delete", "denyDelete", bool],
  ["deny_purge", "denyPurge", bool],
  ["allow_rollup_hdrs", "allowRollupHdrs", bool],
  ["consumer_limits", "consumerLimits", consumerLimits],
  ["allow_msg_ttl", "allowMsgTtl", bool],
  ["subject_delete_marker_ttl", "subjectDeleteMarkerTtl", duration, OMIT_EMPTY],
  ["allow_msg_counter", "allowMsgCounter", bool, OMIT_EMPTY],
  ["allow_atomic", "allowAtomic", bool, OMIT_EMPTY],
  ["allow_msg_schedules", "allowMsgSchedules", bool, OMIT_EMPTY],
  [
    "persist_mode",
    "persistMode",
    choice<PersistMode>("server.PersistModeType", ["default", "async"], cannotUnmarshal, {
      read: { '""': "default" },
    }),
    OMIT_EMPTY,
  ],
  ["allow_batched", "allowBatched", bool, OMIT_EMPTY],
  ["metadata", "metadata", textMap, OMIT_EMPTY],
];

/** A stream's configuration in JSON, with Go's order of fields and what it leaves out. */
export const streamConfig = record<StreamConfig>("StreamConfig", FIELDS);

/** A request for a stream in JSON. */
export const streamConfigRequest = record<StreamConfigRequest>(
  "StreamConfigRequest",
  [["pedantic", "pedantic", bool, OMIT_EMPTY]],
  ["StreamConfig", FIELDS as readonly Field<StreamConfigRequest>[]],
);

/** Whether two configurations are the same, field by field. */
export function sameStreamConfig(one: StreamConfig, other: StreamConfig): boolean {
  return streamConfig.write(one) === streamConfig.write(other);
}
