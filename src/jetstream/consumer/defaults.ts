import { pedantic } from "../errors.ts";
import type { StreamConfig } from "../stream/config.ts";
import type { AccountLimits, ServerLimits } from "../stream/context.ts";
import { type ConsumerConfig, isPush } from "./config.ts";

/** A configuration that is being put right. */
type ConsumerDraft = { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] };

/** How long a message may stay unacknowledged before it is delivered again, in ms. */
const DEFAULT_ACK_WAIT_MS = 30_000;
const DEFAULT_MAX_ACK_PENDING = 1_000;
/** How many pull requests may wait. */
const DEFAULT_MAX_WAITING = 512;
/** How long a pinned client may let no request be heard, in ms. */
const DEFAULT_PRIORITY_TIMEOUT_MS = 120_000;
/** The heartbeat of consumers that other streams are sourced through, in ms. */
export const SOURCING_HEARTBEAT_MS = 1_000;

/** Fields that are not to be below a bound, which they are put to. */
const BOUNDS = [
  ["maxDeliver", "max_deliver must be set to -1", -1],
  ["maxWaiting", "max_waiting must not be negative", 0],
  ["maxAckPending", "max_ack_pending must be set to -1", -1],
  ["maxBatch", "max_batch must not be negative", 0],
  ["maxExpires", "max_expires must not be negative", 0],
  ["maxBytes", "max_bytes must not be negative", 0],
  ["idleHeartbeat", "idle_heartbeat must not be negative", 0],
  ["inactiveThreshold", "inactive_threshold must not be negative", 0],
  ["priorityTimeout", "priority_timeout must not be negative", 0],
] as const;

/**
 * Puts in what a consumer's configuration leaves out, and puts right what it may (nats-server `setConsumerConfigDefaults`).
 * @param literally - "pedantic": what would be put right is an error.
 * @throws ApiError
 */
export function withConsumerDefaults(
  config: ConsumerConfig,
  stream: StreamConfig,
  server: ServerLimits,
  account: AccountLimits,
  literally: boolean,
): ConsumerConfig {
  const draft: ConsumerDraft = { ...config };
  for (const [key, err, bound] of BOUNDS) {
    if (draft[key] >= bound) continue;
    refuse(literally, err);
    draft[key] = bound;
  }
  if (draft.maxDeliver === 0) draft.maxDeliver = -1;
  if (!isPush(draft) && draft.maxWaiting === 0) draft.maxWaiting = DEFAULT_MAX_WAITING;
  const acked = draft.ackPolicy === "explicit" || draft.ackPolicy === "all";
  if (draft.ackWait === 0 && acked) draft.ackWait = DEFAULT_ACK_WAIT_MS;
  if (draft.backoff.length > 0) {
    refuse(literally && draft.ackWait !== draft.backoff[0], "first backoff value has to equal batch AckWait");
    draft.ackWait = draft.backoff[0];
  }
  inheritLimits(draft, stream, literally);
  if (draft.maxAckPending === 0 && draft.ackPolicy !== "none") {
    draft.maxAckPending = smallest(DEFAULT_MAX_ACK_PENDING, server.maxAckPending, account.maxAckPending);
  }
  if (!isPush(draft) && draft.maxBatch === 0 && server.maxRequestBatch > 0) {
    refuse(literally, "max_request_batch must be set if it's JetStream limits are set");
    draft.maxBatch = server.maxRequestBatch;
  }
  if (draft.priorityPolicy === "pinned_client" && draft.priorityTimeout === 0) {
    draft.priorityTimeout = DEFAULT_PRIORITY_TIMEOUT_MS;
  }
  if (draft.ackPolicy === "flow_control" && !literally) {
    draft.flowControl = true;
    draft.idleHeartbeat = SOURCING_HEARTBEAT_MS;
  }
  return draft;
}

function refuse(broken: boolean, err: string): void {
  if (broken) throw pedantic(err);
}

function inheritLimits(draft: ConsumerDraft, stream: StreamConfig, literally: boolean): void {
  const { maxAckPending, inactiveThreshold } = stream.consumerLimits;
  if (draft.maxAckPending === 0) {
    refuse(literally && maxAckPending > 0, "max_ack_pending must be set if it's configured in stream limits");
    draft.maxAckPending = maxAckPending;
  }
  if (draft.inactiveThreshold === 0) {
    refuse(
      literally && inactiveThreshold > 0,
      "inactive_threshold must be set if it's configured in stream limits",
    );
    draft.inactiveThreshold = inactiveThreshold;
  }
}

/** The smallest of a value and of limits, of which those that are not above 0 are none. */
function smallest(value: number, ...limits: number[]): number {
  return Math.min(value, ...limits.filter((limit) => limit > 0));
}
