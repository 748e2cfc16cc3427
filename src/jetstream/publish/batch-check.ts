import { apiError } from "../errors.ts";
import {
  checkExpectedStream,
  checkIncrement,
  checkOrigin,
  checkSubjectSeq,
  count,
  counterHeaders,
  deciding,
  type LastMessage,
  MAX_HEADERS,
  type PublishContext,
  type PublishDecision,
  type PublishMessage,
  type Rollup,
  readRollup,
  readTtl,
  sizeOf,
  withoutRequestInfo,
  withRaisedTtl,
} from "./check.ts";
import { checkSchedule } from "./check-schedule.ts";
import { HEADERS, type HeaderValues, parseDigits, withHeader } from "./headers.ts";
import type { MessageTtl } from "./ttl.ts";

/** The messages of a batch that have been checked, which those behind them are checked against, too. */
export class StagedBatch {
  readonly #ids = new Set<string>();
  readonly #last = new Map<string, LastMessage>();
  readonly #expected = new Map<string, number>();
  #count = 0;

  /** How many. */
  get count(): number {
    return this.#count;
  }

  /** The last of them on a subject. */
  lastOf(subject: string): LastMessage | undefined {
    return this.#last.get(subject);
  }

  has(msgId: string): boolean {
    return this.#ids.has(msgId);
  }

  /** The sequence that one of them has expected on a subject. */
  expectedOn(subject: string): number | undefined {
    return this.#expected.get(subject);
  }

  expect(subject: string, seq: number): void {
    this.#expected.set(subject, seq);
  }

  add(subject: string, msgId: string, message: LastMessage): void {
    this.#count += 1;
    if (msgId !== "") this.#ids.add(msgId);
    this.#last.set(subject, message);
  }
}

/**
 * Decides about a message of a batch that is committed: all must pass, in order, before the first is stored (nats-server
 * `checkMsgHeadersPreClusteredProposal`). What passes is added to `staged`.
 * @param last - as for `checkPublish`; a message of the batch itself comes first.
 */
export function checkBatched(
  message: PublishMessage,
  values: HeaderValues,
  context: PublishContext,
  staged: StagedBatch,
  last: LastMessage | undefined,
): PublishDecision {
  return deciding(() => decide(message, values, context, staged, last));
}

function decide(
  message: PublishMessage,
  values: HeaderValues,
  context: PublishContext,
  staged: StagedBatch,
  last: LastMessage | undefined,
): PublishDecision {
  const { config } = context;
  const { subject } = message;
  const msgId = values.get(HEADERS.msgId) ?? "";
  let { payload } = message;
  let headers = withoutRequestInfo(message.headers, values);
  if ((values.get(HEADERS.expectedLastMsgId) ?? "") !== "") {
    throw apiError(10177, { header: HEADERS.expectedLastMsgId });
  }
  if (headers !== undefined && headers.length > MAX_HEADERS) throw apiError(10097);
  const incr = checkIncrement(values, message, config);
  checkExpectedStream(values, config);
  const ttl = checkedTtl(values, config.allowMsgTtl);
  if (msgId !== "" && (staged.has(msgId) || context.duplicateOf(msgId) > 0)) throw apiError(10201);
  checkOrigin(values);
  if (config.allowMsgCounter && incr === undefined) throw apiError(10169);
  let counter: string | undefined;
  if (incr !== undefined) {
    const result = count(incr, message, values, staged.lastOf(subject) ?? last);
    payload = result.payload;
    counter = result.value;
    headers = counterHeaders(headers, result);
    const { maxMsgSize } = config;
    const limit = maxMsgSize >= 0 ? Math.min(maxMsgSize, context.maxPayload) : context.maxPayload;
    if (sizeOf(headers, payload) > limit) throw apiError(10054);
  }
  checkExpected(values, subject, context, staged);
  const scheduler = values.get(HEADERS.scheduler) ?? "";
  const needsRollup = checkSchedule(values, subject, context, staged.lastOf(scheduler) ?? last);
  if (needsRollup) headers = withHeader(headers, HEADERS.rollup, "sub");
  const rollup = readRollup(values, message, config) ?? (needsRollup ? "sub" : undefined);
  checkRollup(rollup, subject, staged);
  staged.add(subject, msgId, { headers, payload });
  return withRaisedTtl({ kind: "store", headers, payload, ttl, rollup, msgId, counter }, config);
}

function checkedTtl(values: HeaderValues, allowed: boolean): MessageTtl {
  if (allowed) return readTtl(values);
  const text = values.get(HEADERS.ttl) ?? "";
  // What cannot be read is not allowed either, nor "0", which is no TTL; "00" is none.
  if (text === "0" || (text !== "" && parseDigits(text) !== 0)) throw apiError(10166);
  return 0;
}

/** What is expected of the stream must hold before the batch: within it, only the first message can say so. */
function checkExpected(
  values: HeaderValues,
  subject: string,
  context: PublishContext,
  staged: StagedBatch,
): void {
  const expected = values.get(HEADERS.expectedLastSeq) ?? "";
  if (expected !== "") {
    const lastSeq = context.lastSeq + staged.count;
    if (parseDigits(expected) !== lastSeq) throw apiError(10071, { seq: lastSeq });
    if (staged.count > 0) throw apiError(10164);
  }
  const ofSubject = values.get(HEADERS.expectedLastSubjectSeq) ?? "";
  const named = values.get(HEADERS.expectedLastSubjectSeqSubject) || subject;
  if (ofSubject !== "" && staged.lastOf(named) !== undefined) throw apiError(10164);
  checkSubjectSeq(values, subject, (filter) => staged.expectedOn(filter) ?? context.lastSeqOf(filter));
  if (ofSubject !== "") staged.expect(named, Number(ofSubject));
}

function checkRollup(rollup: Rollup | undefined, subject: string, staged: StagedBatch): void {
  if (rollup === "sub" && staged.lastOf(subject) !== undefined) {
    throw apiError(10111, { err: "batch rollup sub invalid" });
  }
  if (rollup === "all" && staged.count > 0) throw apiError(10111, { err: "batch rollup all invalid" });
}
