import { apiError } from "../errors.ts";
import { storedStreamMetadata } from "../metadata.ts";
import { checkDiscardPerSubject, checkStreamConfig } from "./check.ts";
import type { StreamConfig, StreamConfigRequest } from "./config.ts";
import { type CreateContext, overlapsAny } from "./create.ts";
import { deny, type StreamDraft } from "./draft.ts";
import { checkLimits } from "./limits.ts";
import { sameSource } from "./source.ts";

/** A consumer of a stream, as far as the stream's limits for consumers concern it. */
export interface LimitedConsumer {
  readonly name: string;
  /** In ms. */
  readonly inactiveThreshold: number;
  readonly maxAckPending: number;
}

/**
 * Decides about `STREAM.UPDATE.<subjectName>` (nats-server `jsStreamUpdateRequest` and `configUpdateCheck`, on one server; behaviour.md D.3).
 * @param consumers - those of the stream, in any order.
 * @returns the configuration that the stream gets.
 * @throws ApiError
 */
export function decideUpdate(
  subjectName: string,
  request: StreamConfigRequest,
  context: CreateContext,
  consumers: () => Iterable<LimitedConsumer>,
): StreamConfig {
  const { pedantic: literally, ...given } = request;
  const completed = checkStreamConfig(given, context, literally);
  if (subjectName !== completed.name) throw apiError(10056);
  const old = context.streamOf(subjectName);
  if (old === undefined) throw apiError(10059);
  // Once more: what was put in for what was left out may break a rule that was looked at before.
  const wanted = checkStreamConfig(completed, context, literally);
  const draft: StreamDraft = { ...wanted, metadata: storedStreamMetadata(wanted) };
  if (draft.numReplicas > 1) throw apiError(10074);
  checkFixed(draft, old);
  if (draft.sealed) seal(draft);
  checkGrowth(draft, old, context);
  checkConsumers(draft, old, consumers);
  if (
    overlapsAny(
      draft.subjects,
      context.streams.filter(({ name }) => name !== draft.name),
    )
  ) {
    throw apiError(10065);
  }
  return draft;
}

/** What a stream keeps for life, or can only be turned one way. */
function checkFixed(draft: StreamDraft, old: StreamConfig): void {
  deny(draft.storage !== old.storage, "stream configuration update can not change storage type");
  deny(
    draft.retention !== old.retention && (draft.retention === "workqueue" || old.retention === "workqueue"),
    "stream configuration update can not change retention policy to/from workqueue",
  );
  deny(old.sealed && !draft.sealed, "stream configuration update can not unseal a sealed stream");
  deny(
    old.denyDelete && !draft.denyDelete,
    "stream configuration update can not cancel deny message deletes",
  );
  deny(old.denyPurge && !draft.denyPurge, "stream configuration update can not cancel deny purge");
  // A mirror may only be given up, which makes an ordinary stream of it.
  if (draft.mirror !== undefined && !sameSource(draft.mirror, old.mirror)) throw apiError(10055);
  checkDiscardPerSubject(draft);
  deny(old.allowMsgTtl && !draft.allowMsgTtl, "message TTL status can not be disabled");
  deny(
    draft.allowMsgCounter !== old.allowMsgCounter,
    "stream configuration update can not change message counter setting",
  );
  deny(old.allowMsgSchedules && !draft.allowMsgSchedules, "message schedules can not be disabled");
  deny(draft.persistMode !== old.persistMode, "stream configuration update can not change persist mode");
}

/** Nothing goes into or out of a sealed stream any more, by age neither. */
function seal(draft: StreamDraft): void {
  draft.maxAge = 0;
  draft.discard = "new";
  draft.denyDelete = true;
  draft.denyPurge = true;
  draft.allowRollupHdrs = false;
}

function checkGrowth(draft: StreamDraft, old: StreamConfig, context: CreateContext): void {
  const growth = Math.max(0, Math.max(draft.maxBytes, 0) - Math.max(old.maxBytes, 0));
  checkLimits(draft, growth, Math.max(0, draft.maxBytes - growth), context);
}

/** Consumers that have more than the stream now allows them stand in the way. */
function checkConsumers(
  draft: StreamDraft,
  old: StreamConfig,
  consumers: () => Iterable<LimitedConsumer>,
): void {
  const { inactiveThreshold, maxAckPending } = draft.consumerLimits;
  const changed =
    (inactiveThreshold > 0 && inactiveThreshold !== old.consumerLimits.inactiveThreshold) ||
    (maxAckPending > 0 && maxAckPending !== old.consumerLimits.maxAckPending);
  if (!changed) return;
  const beyond = [...consumers()].filter(
    (consumer) =>
      (inactiveThreshold > 0 && consumer.inactiveThreshold > inactiveThreshold) ||
      (maxAckPending > 0 && consumer.maxAckPending > maxAckPending),
  );
  if (beyond.length === 0) return;
  throw apiError(10069, {
    err: `change to limits violates consumers: ${beyond.map(({ name }) => name).join(", ")}`,
  });
}
