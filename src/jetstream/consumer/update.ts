import { type ApiError, apiError } from "../errors.ts";
import { timestampNs } from "../json/timestamps.ts";
import { type ConsumerConfig, sameConsumerConfig } from "./config.ts";

/** What a consumer keeps for life, and what is said of a change; in nats-server's order, with the start's time and the way of delivery between. */
const BEFORE_TIME = [
  ["deliverPolicy", "deliver policy can not be updated"],
  ["memStorage", "storage type can not be updated"],
  ["direct", "direct can not be updated"],
  ["sourcing", "sourcing can not be updated"],
  ["optStartSeq", "start sequence can not be updated"],
] as const;
const AFTER_TIME = [
  ["ackPolicy", "ack policy can not be updated"],
  ["replayPolicy", "replay policy can not be updated"],
  ["idleHeartbeat", "heart beats can not be updated"],
  ["flowControl", "flow control can not be updated"],
] as const;

/**
 * Checks that a consumer may be changed so (nats-server `checkNewConsumerConfig`).
 * @param isBound - whether somebody listens on a subject: a push consumer in use stays where it is.
 * @throws ApiError
 */
export function checkConsumerUpdate(
  old: ConsumerConfig,
  wanted: ConsumerConfig,
  isBound: (subject: string) => boolean,
): void {
  if (sameConsumerConfig(old, wanted)) return;
  for (const [key, err] of BEFORE_TIME) if (old[key] !== wanted[key]) throw refused(err);
  if (!isSameTime(old.optStartTime, wanted.optStartTime)) throw refused("start time can not be updated");
  for (const [key, err] of AFTER_TIME) if (old[key] !== wanted[key]) throw refused(err);
  if (old.deliverSubject !== wanted.deliverSubject) {
    if (old.deliverSubject === "") throw refused("can not update pull consumer to push based");
    if (wanted.deliverSubject === "") throw refused("can not update push consumer to pull based");
    if (isBound(old.deliverSubject)) throw apiError(10013);
  }
  if (old.maxWaiting !== wanted.maxWaiting) throw refused("max waiting can not be updated");
}

function refused(err: string): ApiError {
  return apiError(10012, { err });
}

function isSameTime(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return timestampNs(one) === timestampNs(other);
}
