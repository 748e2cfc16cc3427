import { goJson } from "../../protocol/go-format.ts";
import { type Timestamp, timestampOf, ZERO_TIME } from "../json/timestamps.ts";
import type { AbandonReason } from "../publish/batch.ts";
import { type StreamStateInfo, streamState } from "../stream/state.ts";

/**
 * What JetStream tells about itself (behaviour.md D.15): advisories, and metrics of acknowledgements. Each is made when somebody listens to its
 * subject.
 */

/** What every event has: an id that no other has, and when it was, in ms since the epoch. */
export interface EventStamp {
  readonly id: string;
  readonly time: number;
  /** The server's domain; "" for none. */
  readonly domain: string;
}

/** What a stream or a consumer is called. */
export interface ConsumerNames {
  readonly stream: string;
  readonly consumer: string;
}

/** A message that a consumer has delivered. */
export interface DeliveredMessage extends ConsumerNames {
  readonly consumerSeq: number;
  readonly streamSeq: number;
  readonly deliveries: number;
}

/** What a client is, as `$SYS` events have it; it is written as it is. */
export type ClientInfo = Readonly<Record<string, unknown>>;

/** An event, and the subject it is published to. */
export interface JetStreamEvent {
  readonly subject: string;
  /** The JSON, with Go's order of fields. */
  readonly json: string;
}

const ADVISORY = "$JS.EVENT.ADVISORY.";
const METRIC = "$JS.EVENT.METRIC.";

/** @param fields - those that are undefined are left out. */
function event(subject: string, type: string, stamp: EventStamp, fields: object): JetStreamEvent {
  const { id, time } = stamp;
  const json = goJson({ type: `io.nats.jetstream.${type}`, id, timestamp: timestampOf(time), ...fields });
  return { subject, json };
}

function advisory(subject: string, type: string, stamp: EventStamp, fields: object): JetStreamEvent {
  return event(ADVISORY + subject, `advisory.v1.${type}`, stamp, fields);
}

/** The domain, if there is one: it comes last in most events. */
function domainOf({ domain }: EventStamp): { domain: string | undefined } {
  return { domain: domain || undefined };
}

const STREAM_ACTIONS = { create: "CREATED", delete: "DELETED", modify: "UPDATED" } as const;

/** A stream was made, changed or removed. */
export function streamAction(
  stamp: EventStamp,
  stream: string,
  action: keyof typeof STREAM_ACTIONS,
): JetStreamEvent {
  const fields = { stream, action, ...domainOf(stamp) };
  return advisory(`STREAM.${STREAM_ACTIONS[action]}.${stream}`, "stream_action", stamp, fields);
}

/** A consumer was made or removed. */
export function consumerAction(
  stamp: EventStamp,
  { stream, consumer }: ConsumerNames,
  action: "create" | "delete",
): JetStreamEvent {
  const subject = `CONSUMER.${STREAM_ACTIONS[action]}.${stream}.${consumer}`;
  return advisory(subject, "consumer_action", stamp, { stream, consumer, action, ...domainOf(stamp) });
}

/** A consumer was told to pause, or to go on. @param until - undefined when it was never to pause. */
export function consumerPause(
  stamp: EventStamp,
  { stream, consumer }: ConsumerNames,
  paused: boolean,
  until: Timestamp | undefined,
): JetStreamEvent {
  const fields = { stream, consumer, paused, pause_until: until ?? ZERO_TIME, ...domainOf(stamp) };
  return advisory(`CONSUMER.PAUSE.${stream}.${consumer}`, "consumer_pause", stamp, fields);
}

/** A client is pinned in a priority group. */
export function groupPinned(
  stamp: EventStamp,
  account: string,
  { stream, consumer }: ConsumerNames,
  group: string,
  pinnedId: string,
): JetStreamEvent {
  const fields = {
    account: account || undefined,
    stream,
    consumer,
    ...domainOf(stamp),
    group,
    pinned_id: pinnedId,
  };
  return advisory(`CONSUMER.PINNED.${stream}.${consumer}`, "consumer_group_pinned", stamp, fields);
}

/** No client is pinned in a priority group any more: by request, or because nothing was heard of it. */
export function groupUnpinned(
  stamp: EventStamp,
  account: string,
  { stream, consumer }: ConsumerNames,
  group: string,
  reason: "admin" | "timeout",
): JetStreamEvent {
  const fields = { account: account || undefined, stream, consumer, ...domainOf(stamp), group, reason };
  return advisory(`CONSUMER.UNPINNED.${stream}.${consumer}`, "consumer_group_unpinned", stamp, fields);
}

/** A message has been delivered as often as it may be. */
export function maxDeliveries(
  stamp: EventStamp,
  { stream, consumer }: ConsumerNames,
  streamSeq: number,
  deliveries: number,
): JetStreamEvent {
  const fields = { stream, consumer, stream_seq: streamSeq, deliveries, ...domainOf(stamp) };
  return advisory(`CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`, "max_deliver", stamp, fields);
}

function delivered({ stream, consumer, consumerSeq, streamSeq }: DeliveredMessage): object {
  return { stream, consumer, consumer_seq: consumerSeq, stream_seq: streamSeq };
}

/** A client does not want a message now. */
export function messageNaked(stamp: EventStamp, message: DeliveredMessage): JetStreamEvent {
  const { stream, consumer, deliveries } = message;
  const fields = { ...delivered(message), deliveries, ...domainOf(stamp) };
  return advisory(`CONSUMER.MSG_NAKED.${stream}.${consumer}`, "nak", stamp, fields);
}

/** A message is not delivered any more. @param reason - "" for none. */
export function messageTerminated(
  stamp: EventStamp,
  message: DeliveredMessage,
  reason: string,
): JetStreamEvent {
  const { stream, consumer, deliveries } = message;
  const fields = { ...delivered(message), deliveries, reason: reason || undefined, ...domainOf(stamp) };
  return advisory(`CONSUMER.MSG_TERMINATED.${stream}.${consumer}`, "terminated", stamp, fields);
}

/** Why a message is not delivered any more that has gone from its stream. */
export const TERM_REASONS = {
  limits: "Message deleted by stream limits",
  unacknowledged: "Unacknowledged message was deleted",
} as const;

/** A message was acknowledged, so many ms after it was delivered. */
export function messageAcknowledged(
  stamp: EventStamp,
  message: DeliveredMessage,
  ackTime: number,
): JetStreamEvent {
  const { stream, consumer, deliveries } = message;
  const time = { ack_time: Math.round(ackTime * 1e6) };
  const fields = { ...delivered(message), ...time, deliveries, ...domainOf(stamp) };
  return event(`${METRIC}CONSUMER.ACK.${stream}.${consumer}`, "metric.v1.consumer_ack", stamp, fields);
}

/** A snapshot is being made for a client. */
export function snapshotCreated(
  stamp: EventStamp,
  stream: string,
  state: StreamStateInfo,
  client: ClientInfo | null,
): JetStreamEvent {
  const fields = { stream, state: JSON.parse(streamState.write(state)), client, ...domainOf(stamp) };
  return advisory(`STREAM.SNAPSHOT_CREATE.${stream}`, "snapshot_create", stamp, fields);
}

/** When something began and ended, in ms since the epoch. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

function written({ start, end }: Span): object {
  return { start: timestampOf(start), end: timestampOf(end) };
}

/** A snapshot is made, or was not. @param error - "" when it was. */
export function snapshotCompleted(
  stamp: EventStamp,
  stream: string,
  span: Span,
  client: ClientInfo | null,
  error: string,
): JetStreamEvent {
  const fields = { stream, ...written(span), client, ...domainOf(stamp), error: error || undefined };
  return advisory(`STREAM.SNAPSHOT_COMPLETE.${stream}`, "snapshot_complete", stamp, fields);
}

/** A client restores a stream. */
export function restoreCreated(stamp: EventStamp, stream: string, client: ClientInfo | null): JetStreamEvent {
  const fields = { stream, client, ...domainOf(stamp) };
  return advisory(`STREAM.RESTORE_CREATE.${stream}`, "restore_create", stamp, fields);
}

/** A stream is restored. */
export function restoreCompleted(
  stamp: EventStamp,
  stream: string,
  span: Span,
  bytes: number,
  client: ClientInfo | null,
): JetStreamEvent {
  const fields = { stream, ...written(span), bytes, client, ...domainOf(stamp) };
  return advisory(`STREAM.RESTORE_COMPLETE.${stream}`, "restore_complete", stamp, fields);
}

/** A batch was given up. */
export function batchAbandoned(
  stamp: EventStamp,
  account: string,
  stream: string,
  batch: string,
  reason: AbandonReason,
): JetStreamEvent {
  const fields = { account: account || undefined, stream, ...domainOf(stamp), batch, reason };
  return advisory(`STREAM.BATCH_ABANDONED.${stream}`, "stream_batch_abandoned", stamp, fields);
}

/** A request to the API, and its answer, as texts. */
export interface AuditedCall {
  readonly server: string;
  readonly client: ClientInfo | null;
  readonly subject: string;
  readonly request: string;
  readonly response: string;
}

/** The API was called. */
export function apiAudit(stamp: EventStamp, call: AuditedCall): JetStreamEvent {
  const { server, client, subject, request, response } = call;
  const fields = { server, client, subject, request: request || undefined, response, ...domainOf(stamp) };
  return advisory("API", "api_audit", stamp, fields);
}

/** So many requests were dropped because too many waited. */
export function apiLimitReached(stamp: EventStamp, server: string, dropped: number): JetStreamEvent {
  return advisory("API.LIMIT_REACHED", "api_limit_reached", stamp, { server, ...domainOf(stamp), dropped });
}

/** The disk is full. @param stream - where that was noticed; "" for none. */
export function outOfStorage(
  stamp: EventStamp,
  server: { readonly name: string; readonly id: string; readonly cluster: string },
  stream: string,
): JetStreamEvent {
  const fields = {
    server: server.name,
    server_id: server.id,
    stream: stream || undefined,
    cluster: server.cluster,
    ...domainOf(stamp),
  };
  return advisory("SERVER.OUT_OF_STORAGE", "server_out_of_space", stamp, fields);
}
