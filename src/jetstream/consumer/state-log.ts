import type { Clock } from "../../seams/clock.ts";
import { StorageError } from "../../storage/errors.ts";
import type { Journal } from "../../storage/storage.ts";
import type { AckState } from "./ack-state.ts";
import { StateWriter } from "./state-records.ts";

/** From this size on (bytes) a journal is replaced by what it comes to, if that is a fraction of it. */
const COMPACT_BYTES = 256 * 1024;
const COMPACT_RATIO = 8;
/** About how many bytes a pending message takes. */
const PENDING_BYTES = 20;
/** What waits to be written is never much more than this. */
const WAITING_BYTES = 128 * 1024;

/** The state of a consumer in a journal: what has changed gathers here, and goes there with the next {@link flush}. */
export class StateLog {
  readonly #journal: Journal;
  /** What times are written relative to, and how they differ from those of `Clock.monotonic`; in ms. */
  readonly #offset: number;
  readonly #writer = new StateWriter();
  #state: AckState | undefined;
  /** Whether the whole state is to be written. */
  #whole = false;
  /** Whether the disk was full when it was flushed last. */
  #refused = false;
  #compacting: Promise<void> | undefined;
  /** Whether nothing can be written any more. */
  stopped = false;
  /** Called when there is something to be flushed that was not before. */
  dirtied: () => void = () => {};

  /** @param epoch - what times are written relative to, in ms since 1970: the consumer's beginning. */
  constructor(journal: Journal, clock: Clock, epoch: number) {
    this.#journal = journal;
    this.#offset = clock.now() - clock.monotonic() - epoch;
  }

  /** For the state: it is this one. What the journal has of it is done once more. */
  open(state: AckState): void {
    this.#state = state;
    for (const record of this.#journal.found) state.replay(record, (written) => written - this.#offset);
  }

  /** A time of `Clock.monotonic` as it is written. */
  written(time: number): number {
    return Math.max(0, Math.round(time + this.#offset));
  }

  /** Whether there is something to flush. */
  get dirty(): boolean {
    return this.#whole || this.#writer.length > 0;
  }

  /** Where a change is to be written. */
  changed(): StateWriter {
    if (this.#writer.length === 0 && !this.stopped) this.dirtied();
    else if (this.#writer.length > WAITING_BYTES && this.#writer.length > this.#wholeBytes()) this.replace();
    return this.#writer;
  }

  /** The whole state is to be written, in place of single changes. */
  replace(): void {
    if (!this.dirty && !this.stopped) this.dirtied();
    this.#whole = true;
    this.#writer.take();
  }

  /** Resolves when what has changed so far is on disk. @throws StorageError (rejects) */
  async flush(): Promise<void> {
    // After a refusal the whole state stands for all that could not be written, so that nothing gathers while the disk is full.
    if (this.#refused || this.#whole || this.#writer.length > this.#wholeBytes()) this.#writeWhole();
    try {
      if (this.#refused) {
        await this.#journal.compact(this.#writer.take());
        this.#refused = false;
      } else {
        if (this.#writer.length > 0) this.#journal.append(this.#writer.take());
        await this.#journal.flush();
      }
      await this.#compact();
    } catch (error) {
      if (error instanceof StorageError && error.code === "full") {
        this.#refused = true;
        this.replace();
      } else if (error instanceof StorageError) this.stopped = true;
      throw error;
    }
  }

  #writeWhole(): void {
    this.#writer.take();
    this.#whole = false;
    this.#state?.write(this.#writer, (time) => this.written(time));
  }

  /** Flushes, and closes the journal. */
  async close(): Promise<void> {
    // What cannot be written is delivered again: nothing more is promised of it.
    await this.flush().catch(() => {});
    await this.#journal.close();
  }

  /** Closes the journal, whose files are going to be deleted. */
  async abandon(): Promise<void> {
    await this.#journal.close();
  }

  #wholeBytes(): number {
    const { pending, exhausted } = this.#state!;
    return 64 + (pending.size + exhausted.size) * PENDING_BYTES;
  }

  async #compact(): Promise<void> {
    const { size } = this.#journal;
    if (size < COMPACT_BYTES || size < this.#wholeBytes() * COMPACT_RATIO) return;
    if (this.#compacting !== undefined) return;
    this.#writeWhole();
    this.#compacting = this.#journal.compact(this.#writer.take());
    try {
      await this.#compacting;
    } finally {
      this.#compacting = undefined;
    }
  }
}
