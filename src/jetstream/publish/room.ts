import { type ApiError, apiError } from "../errors.ts";
import type { StreamConfig } from "../stream/config.ts";

/** How full a stream is, and a subject in it. Sizes are as the store counts them. */
export interface Fill {
  readonly messages: number;
  readonly bytes: number;
  readonly ofSubject: number;
  /** The size of the subject's first message, which goes when there are too many of the subject's; 0 without one. */
  firstBytes(): number;
}

/**
 * Why a stream that does not discard old messages has no room for a new one (nats-server memstore.go, filestore.go); undefined
 * when it has.
 * @param size - of the message, as the store counts it.
 * @param rollsUp - whether it takes the place of others.
 */
export function refusedByLimits(
  config: StreamConfig,
  fill: Fill,
  size: number,
  rollsUp: boolean,
): ApiError | undefined {
  if (config.discard !== "new") return undefined;
  const { maxMsgs, maxBytes, maxMsgsPerSubject } = config;
  const replaces = maxMsgsPerSubject > 0 && fill.ofSubject >= maxMsgsPerSubject;
  if (replaces && config.discardNewPerSubject && !rollsUp) return full("messages per subject");
  if (maxMsgs > 0 && fill.messages >= maxMsgs && !replaces) return full("messages");
  if (maxBytes > 0 && fill.bytes + size > maxBytes && (!replaces || fill.firstBytes() < size))
    return full("bytes");
  return undefined;
}

function full(what: string): ApiError {
  return apiError(10077, { err: `maximum ${what} exceeded` });
}
