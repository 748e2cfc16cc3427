import { API_LEVEL, NATS_VERSION } from "../seams/version.ts";
import type { ConsumerConfig } from "./consumer/config.ts";
import type { StreamConfig } from "./stream/config.ts";

const REQUIRED_LEVEL = "_nats.req.level";
const SERVER_VERSION = "_nats.ver";
const SERVER_LEVEL = "_nats.level";

type Metadata = Readonly<Record<string, string>>;

/** What a stream uses, and the level of the API that has it. */
const STREAM_LEVELS: readonly [level: number, uses: (config: StreamConfig) => boolean][] = [
  [4, (config) => config.allowBatched],
  [
    2,
    ({ allowMsgCounter, allowAtomic, allowMsgSchedules, persistMode }) =>
      allowMsgCounter || allowAtomic || allowMsgSchedules || persistMode === "async",
  ],
  [1, (config) => config.allowMsgTtl || config.subjectDeleteMarkerTtl > 0],
];

/** What a consumer uses, and the level of the API that has it. */
const CONSUMER_LEVELS: readonly [level: number, uses: (config: ConsumerConfig) => boolean][] = [
  [4, (config) => config.ackPolicy === "flow_control"],
  [1, (config) => config.pauseUntil !== undefined && !config.pauseUntil.startsWith("0001-01-01T00:00:00")],
  [
    1,
    ({ priorityPolicy, priorityTimeout, priorityGroups }) =>
      priorityPolicy !== "none" || priorityTimeout !== 0 || priorityGroups.length > 0,
  ],
];

/** A stream's metadata as it is stored: with the level that the stream needs, which an older server tells by whether it can serve it. */
export function storedStreamMetadata(config: StreamConfig): Metadata {
  return withLevel(config, STREAM_LEVELS);
}

/** A consumer's metadata as it is stored. */
export function storedConsumerMetadata(config: ConsumerConfig): Metadata {
  return withLevel(config, CONSUMER_LEVELS);
}

function withLevel<T extends { readonly metadata: Metadata }>(
  config: T,
  levels: readonly [level: number, uses: (config: T) => boolean][],
): Metadata {
  const level = levels.find(([, uses]) => uses(config))?.[0] ?? 0;
  return { ...withoutServer(config.metadata), [REQUIRED_LEVEL]: String(level) };
}

/** Metadata without what answers add about the server: clients send configurations back as they got them. */
function withoutServer(metadata: Metadata): Metadata {
  const { [SERVER_VERSION]: _version, [SERVER_LEVEL]: _level, ...rest } = metadata;
  return rest;
}

/** Metadata as answers show it: with the server's version and level. */
export function shownMetadata(metadata: Metadata): Metadata {
  return { ...metadata, [SERVER_VERSION]: NATS_VERSION, [SERVER_LEVEL]: String(API_LEVEL) };
}

/** The metadata of a request, with the level that the one it is compared to has: the server sets it, so it is no difference. */
export function comparableMetadata(metadata: Metadata, other: Metadata): Metadata {
  const { [REQUIRED_LEVEL]: _level, ...rest } = withoutServer(metadata);
  return Object.hasOwn(other, REQUIRED_LEVEL) ? { ...rest, [REQUIRED_LEVEL]: other[REQUIRED_LEVEL] } : rest;
}

/** Whether this server can serve what was stored with this metadata, perhaps by a newer one. */
export function isSupported(metadata: Metadata): boolean {
  const level = requiredLevel(metadata);
  return level === "" || isLevelServed(level);
}

/** The level that something stored needs; "" when it says nothing. */
export function requiredLevel(metadata: Metadata): string {
  return Object.hasOwn(metadata, REQUIRED_LEVEL) ? metadata[REQUIRED_LEVEL] : "";
}

/** Whether a request may be served that asks for a level: the value of the header `Nats-Required-Api-Level`, "" without one. */
export function isRequestSupported(required: string): boolean {
  return required === "" || isLevelServed(required);
}

function isLevelServed(level: string): boolean {
  return /^[+-]?\d+$/.test(level) && Number(level) <= API_LEVEL;
}
