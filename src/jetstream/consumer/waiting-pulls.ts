import type { PriorityPolicy } from "./config.ts";
import type { PullRequest } from "./pull-request.ts";

/** A pull request that waits for messages. Moments are those of `Clock.monotonic`, in ms. */
export interface WaitingPull {
  /** Where its messages go. */
  readonly reply: string;
  readonly request: PullRequest;
  /** How many messages it still wants, and how many it has got. */
  messages: number;
  delivered: number;
  /** How many bytes it still takes; 0 when that was not said. */
  bytes: number;
  /** Infinity for never. */
  readonly expires: number;
  /** When the next heartbeat is due; Infinity for none. */
  heartbeat: number;
  /** The pin that the request has been given. */
  pinId: string;
}

/** The pull requests of a consumer that wait, in the order in which they get messages. */
export class WaitingPulls {
  #queue: WaitingPull[] = [];
  readonly #max: number;

  /** @param max - how many may wait. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#queue.length;
  }

  /** Whether no more may wait. */
  get full(): boolean {
    return this.#queue.length === this.#max;
  }

  /** The one that comes next. */
  get first(): WaitingPull | undefined {
    return this.#queue[0];
  }

  /** Puts one at the end; of prioritized ones, at the end of those that come no later. */
  add(pull: WaitingPull, policy: PriorityPolicy): void {
    if (policy === "prioritized") this.#insert(pull);
    else this.#queue.push(pull);
  }

  #insert(pull: WaitingPull): void {
    const rank = rankOf(pull);
    const at = this.#queue.findIndex((each) => rankOf(each) > rank);
    if (at < 0) this.#queue.push(pull);
    else this.#queue.splice(at, 0, pull);
  }

  /** Puts the first one at the end. */
  cycle(): void {
    if (this.#queue.length > 1) this.#queue.push(this.#queue.shift()!);
  }

  /** Takes the first one out. */
  shift(): void {
    this.#queue.shift();
  }

  /** The first one gets a message: it goes to the end of those that have its rank, or out when it has all that it wants. */
  serve(policy: PriorityPolicy): void {
    const pull = this.#queue[0];
    pull.delivered += 1;
    pull.messages -= 1;
    if (pull.messages > 0 && this.#queue.length === 1) return;
    this.#queue.shift();
    if (pull.messages > 0) this.add(pull, policy);
  }

  /** Keeps those for which `keep` holds. */
  filter(keep: (pull: WaitingPull) => boolean): void {
    let kept = 0;
    for (const pull of this.#queue) if (keep(pull)) this.#queue[kept++] = pull;
    this.#queue.length = kept;
  }

  /** Takes all out. */
  clear(): readonly WaitingPull[] {
    const all = this.#queue;
    this.#queue = [];
    return all;
  }
}

/** What comes first has the lowest; requests that are no JSON come last. */
function rankOf({ request }: WaitingPull): number {
  return request.plain ? Infinity : request.priority;
}
