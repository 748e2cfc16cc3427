import { record } from "../json/codec.ts";
import { writeText } from "../json/scalars.ts";
import { type Timestamp, timestamp, timestampOf, ZERO_TIME } from "../json/timestamps.ts";
import { shownMetadata } from "../metadata.ts";
import { writeOriginInfo } from "../source/info.ts";
import { type StreamConfig, streamConfig } from "./config.ts";
import { type StreamStateInfo, streamState } from "./state.ts";
import type { Stream } from "./stream.ts";

/** The most sequences of messages that are gone which an answer lists. */
const MAX_DELETED = 1_000_000;

/** What of a stream's state is asked for besides the numbers. */
export interface StateDetails {
  /** Which sequences have no message. */
  readonly deleted?: boolean;
  /** How many messages there are on subjects. */
  readonly subjects?: Readonly<Record<string, number>>;
}

/** A stream's state as the API shows it. */
export function stateOf(stream: Stream, details: StateDetails = {}): StreamStateInfo {
  const { store, consumers, numbered } = stream;
  const { messages, bytes, firstSeq, firstTime, lastSeq, lastTime, subjects, deleted, lost } = store.state;
  return {
    messages,
    bytes,
    firstSeq: lastSeq === 0 && !numbered ? 0 : firstSeq,
    firstTs: messages === 0 ? ZERO_TIME : timestampOf(firstTime),
    lastSeq,
    lastTs: lastTime === 0 ? ZERO_TIME : timestampOf(lastTime),
    numSubjects: subjects,
    subjects: details.subjects ?? {},
    numDeleted: deleted,
    deleted: details.deleted === true ? numbersIn(store.deleted()) : [],
    lost: lost && { msgs: numbersIn(lost.ranges), bytes: lost.bytes },
    consumerCount: consumers.count,
  };
}

function numbersIn(ranges: Iterable<readonly [first: number, last: number]>): number[] {
  const numbers: number[] = [];
  for (const [first, last] of ranges) {
    for (let seq = first; seq <= last; seq++) {
      if (numbers.length === MAX_DELETED) return numbers;
      numbers.push(seq);
    }
  }
  return numbers;
}

/** What an answer says of a stream beyond its configuration and state. */
export interface InfoExtras {
  readonly now: number;
  /** "" for none. */
  readonly domain: string;
  /** The server that leads the stream; "" leaves it out. */
  readonly leader: string;
  /** Whether the configuration shows the server's version. */
  readonly dynamic: boolean;
  readonly details?: StateDetails;
}

/** The members of the JSON about a stream (nats-server `StreamInfo`), without braces. */
export function streamInfo(stream: Stream, { now, domain, leader, dynamic, details }: InfoExtras): string {
  const { config, created } = stream;
  const shown = dynamic ? { ...config, metadata: shownMetadata(config.metadata) } : config;
  const parts = [
    `"config":${streamConfig.write(shown)}`,
    `"created":${timestamp.write(created)}`,
    `"state":${streamState.write(stateOf(stream, details))}`,
  ];
  if (domain !== "") parts.push(`"domain":${writeText(domain)}`);
  if (leader !== "") parts.push(`"cluster":{"leader":${writeText(leader)}}`);
  const { mirror, sources } = stream.origins.infos();
  if (mirror !== undefined) parts.push(`"mirror":${writeOriginInfo(mirror)}`);
  if (sources.length > 0) parts.push(`"sources":[${sources.map(writeOriginInfo).join(",")}]`);
  parts.push(`"ts":${timestamp.write(timestampOf(now))}`);
  return parts.join(",");
}

/** What is kept of a stream besides its messages. */
export interface StreamDocument {
  readonly config: StreamConfig;
  readonly created: Timestamp;
}

/** It as JSON. Fields that a newer server has written are passed over when it is read. */
export const streamDocument = record<StreamDocument>("StreamDocument", [
  ["config", "config", streamConfig],
  ["created", "created", timestamp],
]);
