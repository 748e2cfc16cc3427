import type { Incoming } from "./incoming.ts";

/** What a message that waits takes beside its bytes: the objects that hold it. */
const MESSAGE_COST = 512;
/** Places of messages that have gone are cleared out when there are so many of them, and more than are left. */
const SWEEP_MIN = 1_024;

/** Messages that wait for the first of them, in order. However many there are, each comes and goes in the same time. */
export class Backlog {
  #messages: (Incoming | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  /** About how much memory they take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The message that is next; undefined for none. */
  get first(): Incoming | undefined {
    return this.#messages[this.#first];
  }

  /** A message waits. It must be one that may be kept. */
  push(message: Incoming): void {
    this.#messages.push(message);
    this.#bytes += costOf(message);
  }

  /** The first one has been seen to. */
  shift(): void {
    const message = this.first;
    if (message === undefined) return;
    this.#bytes -= costOf(message);
    this.#messages[this.#first] = undefined;
    this.#first += 1;
    if (this.isEmpty) {
      this.clear();
      return;
    }
    if (this.#first < SWEEP_MIN || this.#first * 2 < this.#messages.length) return;
    this.#messages = this.#messages.slice(this.#first);
    this.#first = 0;
  }

  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}

function costOf({ subject, reply, headers, payload }: Incoming): number {
  return MESSAGE_COST + subject.length + reply.length + (headers?.length ?? 0) + payload.length;
}
