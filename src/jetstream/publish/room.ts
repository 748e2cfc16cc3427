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

/** How full a stream is before a batch, and its subjects. */
export interface BatchFill {
  readonly messages: number;
  readonly bytes: number;
  ofSubject(subject: string): number;
}

/** Whether a stream that discards new messages has room for those of a batch, which replace none (nats-server `checkMsgHeadersPreClusteredProposal`). */
export class BatchRoom {
  readonly #config: StreamConfig;
  readonly #fill: BatchFill;
  readonly #added = new Map<string, number>();
  #messages: number;
  #bytes: number;

  constructor(config: StreamConfig, fill: BatchFill) {
    this.#config = config;
    this.#fill = fill;
    this.#messages = fill.messages;
    this.#bytes = fill.bytes;
  }

  /**
   * Why there is no room for one more.
   * @param size - as the store counts it.
   * @param rollsUp - whether it takes the place of others on its subject.
   */
  refused(subject: string, size: number, rollsUp: boolean): ApiError | undefined {
    const { discard, maxMsgs, maxBytes, maxMsgsPerSubject, discardNewPerSubject } = this.#config;
    if (discard !== "new") return undefined;
    this.#messages += 1;
    this.#bytes += size;
    const added = (this.#added.get(subject) ?? 0) + 1;
    this.#added.set(subject, added);
    if (maxMsgs > 0 && this.#messages > maxMsgs) return full("messages");
    if (maxBytes > 0 && this.#bytes > maxBytes) return full("bytes");
    if (!discardNewPerSubject || maxMsgsPerSubject <= 0 || rollsUp) return undefined;
    return this.#fill.ofSubject(subject) + added > maxMsgsPerSubject
      ? full("messages per subject")
      : undefined;
  }
}

function full(what: string): ApiError {
  return apiError(10077, { err: `maximum ${what} exceeded` });
}
