import type { StreamStore } from "../../storage/store.ts";
import type { SubjectFilter } from "../../storage/subject-filter.ts";
import { filtersOf } from "../consumer/config.ts";
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
  /** Subjects that are still to be looked at. */
  readonly #patterns = new Set<string>();

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

  /**
   * Looks at all messages on some subjects, if the stream keeps those only that a consumer needs.
   * @param patterns - empty for all subjects.
   */
  look(patterns: readonly string[]): void {
    if (this.#stream.config.retention !== "interest") return;
    for (const pattern of patterns.length === 0 ? [">"] : patterns) this.#patterns.add(pattern);
    if (!this.#looking) void this.#lookThrough();
  }

  /**
   * Looks at all that consumers want, as the server may have ended before what they have settled was removed. What none wants stays:
   * it may be for one that is gone with the server, as its state is not kept, and comes again.
   */
  lookAtWanted(): void {
    for (const { config } of this.#consumers.all()) this.look(filtersOf(config));
  }

  async #lookThrough(): Promise<void> {
    this.#looking = true;
    try {
      while (this.#patterns.size > 0) {
        const patterns = [...this.#patterns];
        this.#patterns.clear();
        await this.#walk(patterns);
      }
    } catch (error) {
      this.#stream.failed("retention", error);
    } finally {
      this.#looking = false;
    }
  }

  async #walk(patterns: readonly string[]): Promise<void> {
    const { store } = this.#stream;
    const filter = store.filter(patterns.includes(">") ? [] : patterns);
    try {
      await this.#walkThrough(filter);
    } finally {
      filter.close();
    }
  }

  async #walkThrough(filter: SubjectFilter): Promise<void> {
    const { store } = this.#stream;
    let looked = 0;
    for (let seq = store.state.firstSeq; ; seq += 1) {
      const next = store.next(filter, seq);
      seq = typeof next === "number" ? next : await next;
      if (seq === 0 || this.#stream.closed || this.#stream.config.retention !== "interest") break;
      const subject = store.subjectOf(seq);
      if (subject !== undefined && !this.#consumers.needs(seq, subject)) this.#remove(seq);
      if (++looked % AT_ONCE === 0) await store.flush().catch(() => {});
    }
  }
}
