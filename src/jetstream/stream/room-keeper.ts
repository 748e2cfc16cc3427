import type { StreamStore } from "../../storage/store.ts";
import type { BatchFill, Fill } from "../publish/room.ts";
import type { StreamConfig } from "./config.ts";

/** Keeps a stream within its limits for messages and bytes, by removing the oldest ones (behaviour.md D.2). */
export class RoomKeeper {
  readonly #store: StreamStore;
  #maxMsgs = -1;
  #maxBytes = -1;
  #maxPerSubject = -1;

  constructor(store: StreamStore, config: StreamConfig) {
    this.#store = store;
    this.configure(config);
  }

  /** Other limits, from the next message on. */
  configure({ discard, maxMsgs, maxBytes, maxMsgsPerSubject }: StreamConfig): void {
    // Where new messages are refused instead, only what there is too much of on a subject goes.
    this.#maxMsgs = discard === "old" ? maxMsgs : -1;
    this.#maxBytes = discard === "old" ? maxBytes : -1;
    this.#maxPerSubject = maxMsgsPerSubject;
  }

  /** How full the stream is for a message on a subject. */
  fill(subject: string): Fill {
    const store = this.#store;
    const { messages, bytes } = store.state;
    const there = store.subject(subject);
    const firstBytes = (): number => (there === undefined ? 0 : store.bytesOf(there.firstSeq));
    return { messages, bytes, ofSubject: there?.messages ?? 0, firstBytes };
  }

  /** How full it is for messages that are stored together. */
  batchFill(): BatchFill {
    const store = this.#store;
    const { messages, bytes } = store.state;
    return { messages, bytes, ofSubject: (subject) => store.subject(subject)?.messages ?? 0 };
  }

  /**
   * Makes room once a message has been stored.
   * @param ahead - how many behind it are stored already, and do not count yet.
   * @param bytesAhead - theirs.
   */
  make(seq: number, subject: string, ahead: number = 0, bytesAhead: number = 0): void {
    if (this.#maxPerSubject > 0) this.keepOfSubject(subject, this.#maxPerSubject, seq);
    if (this.#maxMsgs > 0 || this.#maxBytes > 0) this.#makeWhole(seq, ahead, bytesAhead);
  }

  #makeWhole(because: number, ahead: number, bytesAhead: number): void {
    const { state } = this.#store;
    while (
      (this.#maxMsgs > 0 && state.messages - ahead > this.#maxMsgs) ||
      (this.#maxBytes > 0 && state.bytes - bytesAhead > this.#maxBytes)
    ) {
      if (!this.remove(state.firstSeq, because)) return;
    }
  }

  /** Removes the first messages of a subject, but for the last so many. */
  keepOfSubject(subject: string, keep: number, because: number): void {
    for (;;) {
      const there = this.#store.subject(subject);
      if (there === undefined || there.messages <= keep || !this.remove(there.firstSeq, because)) return;
    }
  }

  /** Removes the messages of a subject before another, in its favour. */
  removeBefore(subject: string, before: number): void {
    for (;;) {
      const there = this.#store.subject(subject);
      if (there === undefined || there.firstSeq >= before || !this.remove(there.firstSeq, before)) return;
    }
  }

  /**
   * Removes a message in favour of another. Returns whether there was one.
   * @param because - the other's sequence; 0 for none.
   */
  remove(seq: number, because: number): boolean {
    return this.#store.remove(seq, because > seq ? { because } : undefined);
  }

  /** Brings the stream within its limits, as they have changed. @param limit - of messages that are removed. Returns whether it is. */
  settle(limit: number): boolean {
    const { state } = this.#store;
    for (let i = 0; i < limit; i++) {
      const over =
        (this.#maxMsgs > 0 && state.messages > this.#maxMsgs) ||
        (this.#maxBytes > 0 && state.bytes > this.#maxBytes);
      if (!over || !this.remove(state.firstSeq, 0)) return true;
    }
    return false;
  }
}
