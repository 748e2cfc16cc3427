import type { StreamStore } from "../../storage/store.ts";
import type { SubjectFilter } from "../../storage/subject-filter.ts";
import type { Consumers } from "../consumer/consumers.ts";
import type { StreamConfig } from "./config.ts";

/** How many messages are looked at in one go. */
const AT_ONCE = 2_048;

/** The stream whose messages are kept for consumers. */
export interface RetainedStream {
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  remove(seq: number, erase: boolean): boolean;
  /** Something went wrong. @param what - was being done. */
  failed(what: string, error: unknown): void;
}

/** Removes messages that no consumer needs any more, from streams that keep them for consumers (`interest`, `workqueue`). */
export class Retention {
  readonly #stream: RetainedStream;
  readonly #consumers: Consumers;
  #looking = false;
  #again = false;

  constructor(stream: RetainedStream, consumers: Consumers) {
    this.#stream = stream;
    this.#consumers = consumers;
  }

  /** A consumer does not need a message any more. */
  released(seq: number): void {
    const { config, store } = this.#stream;
    if (config.retention === "limits") return;
    const subject = store.subjectOf(seq);
    if (subject === undefined) return;
    if (config.retention === "interest" && this.#consumers.needs(seq, subject)) return;
    this.#remove(seq);
  }

  #remove(seq: number): void {
    this.#consumers.releasing(() => this.#stream.remove(seq, false));
  }

  /** Looks at all messages, if the stream keeps those only that a consumer needs. */
  look(): void {
    if (this.#stream.config.retention !== "interest") return;
    this.#again = true;
    if (!this.#looking) void this.#lookThrough();
  }

  async #lookThrough(): Promise<void> {
    this.#looking = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#walk();
      }
    } catch (error) {
      this.#stream.failed("retention", error);
    } finally {
      this.#looking = false;
    }
  }

  async #walk(): Promise<void> {
    const { store } = this.#stream;
    const all = store.filter([]);
    try {
      await this.#walkThrough(all);
    } finally {
      all.close();
    }
  }

  async #walkThrough(all: SubjectFilter): Promise<void> {
    const { store } = this.#stream;
    let looked = 0;
    for (let seq = store.state.firstSeq; ; seq += 1) {
      const next = store.next(all, seq);
      seq = typeof next === "number" ? next : await next;
      if (seq === 0 || this.#stream.closed || this.#stream.config.retention !== "interest") break;
      const subject = store.subjectOf(seq);
      if (subject !== undefined && !this.#consumers.needs(seq, subject)) this.#remove(seq);
      if (++looked % AT_ONCE === 0) await store.flush().catch(() => {});
    }
  }
}
