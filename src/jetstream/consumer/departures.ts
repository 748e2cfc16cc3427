import type { Consumer } from "./consumer.ts";
import type { ConsumerHost } from "./host.ts";

/** A message that has gone in favour of others that may yet be refused. */
interface Undecided {
  readonly seq: number;
  /** It does not come back once the stream is on disk up to here. */
  readonly through: number;
  /** Whether a consumer had delivered it, and it was not acknowledged. */
  readonly tracked: boolean;
  /** The consumers that it was still to come to, if they want its subject. */
  readonly expected: readonly Consumer[];
}

/**
 * Has the consumers of a stream forget the messages that have gone: soon, and all at once. One that may yet come back, because what it
 * made room for is refused, is forgotten when that is decided; what does come back is delivered as if it had never gone.
 */
export class Departures {
  readonly #host: ConsumerHost;
  readonly #consumers: ReadonlyMap<string, Consumer>;
  /** Those that have gone for ever and concern somebody. */
  #gone: number[] = [];
  #cleared = false;
  #undecided: Undecided[] = [];
  /** How many there were that concern somebody, and how many of these stay gone whatever happens. */
  #departed = 0;
  #lasting = 0;
  /** Whether what goes is what nobody needs any more. */
  #releasing = false;
  /** How many purges go on: what goes meanwhile goes without a word. */
  #purging = 0;
  #unwatch: () => void = () => {};
  #closed = false;

  constructor(host: ConsumerHost, consumers: ReadonlyMap<string, Consumer>) {
    this.#host = host;
    this.#consumers = consumers;
  }

  /** Begins to watch. */
  open(): void {
    this.#unwatch = this.#host.store.watch({
      removed: (seq, _, undoable) => {
        if (undoable) this.#mayReturn(seq);
        else if (this.#isTracked(seq)) {
          this.#departed += 1;
          this.#forgetSoon(seq);
        } else if (!this.#releasing && this.#isExpected(seq)) this.#departed += 1;
      },
      cleared: () => {
        this.#departed += 1;
        this.#cleared = true;
        this.#lookSoon();
      },
    });
  }

  /** Ends it. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
  }

  #isTracked(seq: number): boolean {
    for (const consumer of this.#consumers.values()) if (consumer.claims.tracks(seq)) return true;
    return false;
  }

  #isExpected(seq: number): boolean {
    for (const consumer of this.#consumers.values()) if (consumer.claims.expects(seq)) return true;
    return false;
  }

  /**
   * Resolves when what has gone so far, and consumers forget or go past as it is not there, is gone also after a crash; undefined when
   * it is already. @param whole - whether that is needed also of what was settled in a work queue: from the single changes of a state it
   * is seen after a crash, from the whole of one it is not. @throws StorageError (rejects)
   */
  lasting(whole: boolean): Promise<void> | undefined {
    if (whole && this.#host.config.retention === "workqueue") return this.#makeLasting(this.#departed);
    return this.#lasting === this.#departed ? undefined : this.#makeLasting(this.#departed);
  }

  async #makeLasting(departed: number): Promise<void> {
    await this.#host.store.flush();
    this.#lasting = Math.max(this.#lasting, departed);
  }

  #mayReturn(seq: number): void {
    const tracked = this.#isTracked(seq);
    const expected: Consumer[] = [];
    for (const consumer of this.#consumers.values()) {
      if (consumer.claims.expects(seq)) expected.push(consumer);
    }
    if (!tracked && expected.length === 0) return;
    this.#departed += 1;
    this.#undecided.push({ seq, through: this.#host.store.state.lastSeq, tracked, expected });
  }

  #forgetSoon(seq: number): void {
    this.#gone.push(seq);
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#gone.length === 1 || this.#cleared) this.#host.account.tasks.soon(() => this.#look());
  }

  /** Has the consumers forget what has gone. */
  #look(): void {
    const gone = this.#gone;
    this.#gone = [];
    const cleared = this.#cleared;
    this.#cleared = false;
    if (this.#closed) return;
    for (const consumer of this.#consumers.values()) {
      if (cleared) consumer.claims.forgetGone();
      for (const seq of gone) if (consumer.claims.tracks(seq)) consumer.claims.gone(seq, this.#purging > 0);
    }
  }

  /** Removes a message that no consumer needs any more: should a crash bring it back, then it is not needed then, either. */
  releasing(remove: () => void): void {
    this.#releasing = true;
    try {
      remove();
    } finally {
      this.#releasing = false;
    }
  }

  /** Does a purge: what it removes is forgotten without a word. */
  async purging<T>(purge: () => Promise<T>): Promise<T> {
    this.#purging += 1;
    try {
      return await purge();
    } finally {
      this.#look();
      this.#purging -= 1;
    }
  }

  /** Everything up to a sequence is on disk. */
  synced(seq: number): void {
    if (this.#undecided.length === 0) return;
    const open: Undecided[] = [];
    for (const each of this.#undecided) {
      if (each.through > seq) open.push(each);
      else if (this.#isTracked(each.seq)) this.#forgetSoon(each.seq);
    }
    this.#undecided = open;
  }

  /** What was not on disk has come to nothing, and what had gone in its favour is back. */
  refused(): void {
    const { store } = this.#host;
    const undecided = this.#undecided;
    this.#undecided = [];
    for (const each of undecided) {
      const subject = store.subjectOf(each.seq);
      if (subject !== undefined) this.#returned(each, subject);
      else if (this.#isTracked(each.seq)) this.#forgetSoon(each.seq);
    }
  }

  #returned({ seq, tracked, expected }: Undecided, subject: string): void {
    for (const consumer of expected) {
      if (!consumer.closed && consumer.claims.wants(subject) && !consumer.claims.expects(seq))
        consumer.returned(seq);
    }
    // It may have been acknowledged while it was gone.
    const { retention } = this.#host.config;
    if (!tracked || retention === "limits" || this.#isTracked(seq)) return;
    for (const { claims } of this.#consumers.values()) if (claims.needs(seq, subject)) return;
    this.#host.released(seq);
  }
}
