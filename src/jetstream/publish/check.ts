import { quote } from "../../protocol/faults.ts";
import { ApiError, apiError } from "../errors.ts";
import type { StreamConfig } from "../stream/config.ts";
import { checkSchedule } from "./check-schedule.ts";
import { type CounterResult, countUp, originOf, parseIncrement } from "./counter.ts";
import {
  HEADERS,
  type HeaderValues,
  parseDigits,
  readHeaders,
  replacingHeader,
  withHeader,
  withoutHeaders,
} from "./headers.ts";
import type { TimeZones } from "./time-zone.ts";
import { type MessageTtl, parseMessageTtl, TTL_NEVER } from "./ttl.ts";

/** The most bytes of headers that can be stored. */
export const MAX_HEADERS = 65_535;

/** What a message rolls up: takes the place of the subject's messages before it, or of all. */
export type Rollup = "sub" | "all";

/** A message that is to be stored. */
export interface PublishMessage {
  /** As the stream's transform has made it. */
  readonly subject: string;
  /** The header block as on the wire; undefined without one. */
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Whether it comes from another stream, which has checked it: it is stored as it is, as far as can be. */
  readonly sourced: boolean;
}

/** A message that is stored already. */
export interface LastMessage {
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
}

/** What a publish is checked against. */
export interface PublishContext {
  readonly config: StreamConfig;
  /** The last sequence of the stream, and the id of the message that has it ("" without). */
  readonly lastSeq: number;
  readonly lastMsgId: string;
  /** The last sequence on subjects that match; 0 when there is none. */
  lastSeqOf(filter: string): number;
  /** The sequence of the message that has had this id within the window; 0 when there is none. */
  duplicateOf(msgId: string): number;
  /** The server's limit, in bytes. */
  readonly maxPayload: number;
  /** In ms since the epoch. */
  readonly now: number;
  readonly zones: TimeZones;
}

/** What is to become of a message. */
export type PublishDecision =
  | { readonly kind: "refuse"; readonly error: ApiError }
  /** A message with its id is there, with this sequence. */
  | { readonly kind: "duplicate"; readonly seq: number }
  | StoreDecision;

/** What is stored of a message. */
export interface StoreDecision {
  readonly kind: "store";
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  readonly ttl: MessageTtl;
  readonly rollup: Rollup | undefined;
  readonly msgId: string;
  /** A counter's new count, which the acknowledgement says; undefined when it is none. */
  readonly counter: string | undefined;
}

/**
 * The subject whose last message must be read before {@link checkPublish}: a counter's, or that of a schedule that is to be removed.
 * Undefined for nearly every message.
 */
export function neededMessage(
  values: HeaderValues,
  subject: string,
  config: StreamConfig,
): string | undefined {
  if (config.allowMsgCounter) return values.has(HEADERS.incr) ? subject : undefined;
  if (!config.allowMsgSchedules || values.get(HEADERS.scheduleNext) !== "purge") return undefined;
  return values.get(HEADERS.scheduler) || undefined;
}

/**
 * Decides about a message that is published to a stream, by its headers, in nats-server's order (behaviour.md D.4,
 * `processJetStreamMsg`). Its id must not be looked up again when it is stored; limits of the stream, the account and the server are checked after this.
 * @param values - what {@link readHeaders} reads.
 * @param last - the last message on {@link neededMessage}.
 */
export function checkPublish(
  message: PublishMessage,
  values: HeaderValues,
  context: PublishContext,
  last: LastMessage | undefined,
): PublishDecision {
  return deciding(() => decide(message, values, context, last));
}

/** What `decide` says; an error of the API that it throws refuses the message. */
export function deciding(decide: () => PublishDecision): PublishDecision {
  try {
    return decide();
  } catch (error) {
    if (error instanceof ApiError) return { kind: "refuse", error };
    throw error;
  }
}

function decide(
  message: PublishMessage,
  values: HeaderValues,
  context: PublishContext,
  last: LastMessage | undefined,
): PublishDecision {
  const { config } = context;
  const { subject, sourced } = message;
  if (config.sealed) throw apiError(10109);
  let headers = withoutRequestInfo(message.headers, values);
  checkSize(headers, message.payload, config);
  const msgId = values.get(HEADERS.msgId) ?? "";
  let incr: bigint | undefined;
  let rollup: Rollup | undefined;
  if (values.size > 0) {
    incr = checkIncrement(values, message, config);
    checkExpectedStream(values, config);
    checkTtlAllowed(values, message, config);
    checkSubjectSeq(values, subject, (filter) => context.lastSeqOf(filter));
    checkLastSeq(values, context.lastSeq);
    if (!sourced) {
      const needsRollup = checkSchedule(values, subject, context, last);
      if (needsRollup) headers = withHeader(headers, HEADERS.rollup, "sub");
      if (needsRollup) rollup = "sub";
      checkOrigin(values);
    }
    const duplicate = msgId === "" || config.mirror !== undefined ? 0 : context.duplicateOf(msgId);
    if (duplicate > 0) return { kind: "duplicate", seq: duplicate };
    const expectedId = values.get(HEADERS.expectedLastMsgId) ?? "";
    if (expectedId !== "" && expectedId !== context.lastMsgId)
      throw apiError(10070, { id: context.lastMsgId });
    rollup = readRollup(values, message, config) ?? rollup;
  }
  if (config.allowMsgCounter && incr === undefined) throw apiError(10169);
  let payload = message.payload;
  let counter: string | undefined;
  if (incr !== undefined && config.allowMsgCounter) {
    const result = count(incr, message, values, last);
    payload = result.payload;
    counter = result.value;
    headers = counterHeaders(headers, result);
    if (sizeOf(headers, payload) > context.maxPayload) throw apiError(10054);
  }
  checkSize(headers, payload, config);
  const ttl = readTtl(values);
  return withRaisedTtl({ kind: "store", headers, payload, ttl, rollup, msgId, counter }, config);
}

/** With markers for what is deleted, a message must not go before the marker of the one before it does, which would hide it. */
export function withRaisedTtl(
  decision: StoreDecision,
  { subjectDeleteMarkerTtl, maxMsgsPerSubject }: StreamConfig,
): StoreDecision {
  const { ttl, headers } = decision;
  const least = Math.trunc(subjectDeleteMarkerTtl / 1_000);
  if (ttl === TTL_NEVER || ttl === 0 || maxMsgsPerSubject === 1 || ttl >= least) return decision;
  const others = withoutHeaders(headers, (name) => name === HEADERS.ttl);
  return { ...decision, ttl: least, headers: withHeader(others, HEADERS.ttl, String(least)) };
}

/** The headers without what the server itself says about the client to services of other accounts. */
export function withoutRequestInfo(
  headers: Uint8Array | undefined,
  values: HeaderValues,
): Uint8Array | undefined {
  return values.has(HEADERS.requestInfo)
    ? withoutHeaders(headers, (name) => name === HEADERS.requestInfo)
    : headers;
}

/** The increment of a counter; there is none without the header. With it, most that could be expected of a message cannot. */
export function checkIncrement(
  values: HeaderValues,
  { payload, sourced }: PublishMessage,
  config: StreamConfig,
): bigint | undefined {
  const text = values.get(HEADERS.incr) ?? "";
  if (text === "") return undefined;
  const incr = parseIncrement(text);
  if (incr === undefined) throw apiError(10171);
  if (sourced) return incr;
  if (!config.allowMsgCounter) throw apiError(10168);
  if (payload.length > 0) throw apiError(10170);
  const incompatible = [
    HEADERS.rollup,
    HEADERS.expectedStream,
    HEADERS.expectedLastMsgId,
    HEADERS.expectedLastSubjectSeqSubject,
    HEADERS.expectedLastSeq,
    HEADERS.expectedLastSubjectSeq,
  ];
  if (incompatible.some((name) => (values.get(name) ?? "") !== "")) throw apiError(10171);
  return incr;
}

/** The message must be meant for this stream. */
export function checkExpectedStream(values: HeaderValues, config: StreamConfig): void {
  const expected = values.get(HEADERS.expectedStream) ?? "";
  if (expected !== "" && expected !== config.name) throw apiError(10060);
}

function checkTtlAllowed(values: HeaderValues, { sourced }: PublishMessage, config: StreamConfig): void {
  if (sourced || config.allowMsgTtl) return;
  const text = values.get(HEADERS.ttl) ?? "";
  const ttl = text === "" ? 0 : parseMessageTtl(text);
  if (ttl !== undefined && ttl !== 0) throw apiError(10166);
}

/** The last sequence on the message's subject, or on another that it names, must be the expected one. */
export function checkSubjectSeq(
  values: HeaderValues,
  subject: string,
  lastSeqOf: (filter: string) => number,
): void {
  const expected = values.get(HEADERS.expectedLastSubjectSeq) ?? "";
  const named = values.get(HEADERS.expectedLastSubjectSeqSubject) ?? "";
  if (expected === "") {
    if (named !== "") throw apiError(10193);
    return;
  }
  const seq = lastSeqOf(named === "" ? subject : named);
  if (parseDigits(expected) !== seq) throw apiError(10071, { seq });
}

/** The last sequence of the stream must be the expected one. */
export function checkLastSeq(values: HeaderValues, lastSeq: number): void {
  const expected = values.get(HEADERS.expectedLastSeq) ?? "";
  if (expected !== "" && parseDigits(expected) !== lastSeq) throw apiError(10071, { seq: lastSeq });
}

/** Only the server says where a message was taken from. */
export function checkOrigin(values: HeaderValues): void {
  if ((values.get(HEADERS.streamSource) ?? "") !== "") throw apiError(10227);
}

/** What a message rolls up; the stream must allow it. */
export function readRollup(
  values: HeaderValues,
  { sourced }: PublishMessage,
  config: StreamConfig,
): Rollup | undefined {
  const given = (values.get(HEADERS.rollup) ?? "").toLowerCase();
  if (given === "") return undefined;
  const allowed = config.allowRollupHdrs && !config.denyPurge;
  if (!allowed && !sourced) throw apiError(10111, { err: "rollup not permitted" });
  if (given === "sub" || given === "all") return given;
  throw apiError(10111, { err: `rollup value invalid: ${quote(given)}` });
}

/** Changes a counter. */
export function count(
  incr: bigint,
  message: PublishMessage,
  values: HeaderValues,
  last: LastMessage | undefined,
): CounterResult {
  const source = values.get(HEADERS.streamSource) ?? "";
  const sources = last === undefined ? "" : (readHeaders(last.headers).get(HEADERS.counterSources) ?? "");
  const result = countUp(
    incr,
    last === undefined ? undefined : { payload: last.payload, sources },
    source === "" ? undefined : originOf(source, message.subject, message.payload),
  );
  if (result === undefined) throw apiError(10172);
  return result;
}

/** The headers of a counter that has been changed. */
export function counterHeaders(
  headers: Uint8Array | undefined,
  result: CounterResult,
): Uint8Array | undefined {
  let changed = headers;
  if (result.incr !== undefined) changed = replacingHeader(changed, HEADERS.incr, result.incr);
  if (result.sources !== undefined)
    changed = replacingHeader(changed, HEADERS.counterSources, result.sources);
  return changed;
}

/** A message of more bytes than the stream takes, or with more headers than can be stored. */
function checkSize(headers: Uint8Array | undefined, payload: Uint8Array, config: StreamConfig): void {
  if (config.maxMsgSize >= 0 && sizeOf(headers, payload) > config.maxMsgSize) throw apiError(10054);
  if (headers !== undefined && headers.length > MAX_HEADERS) throw apiError(10097);
}

/** The bytes of a message. */
export function sizeOf(headers: Uint8Array | undefined, payload: Uint8Array): number {
  return (headers?.length ?? 0) + payload.length;
}

/** For how long a message asks to be kept. */
export function readTtl(values: HeaderValues): MessageTtl {
  const text = values.get(HEADERS.ttl) ?? "";
  if (text === "") return 0;
  const ttl = parseMessageTtl(text);
  if (ttl === undefined) throw apiError(10165);
  return ttl;
}
