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
  readonly #lasting: (whole: boolean) => Promise<void> | undefined;
  /** The flush that goes on, or was the last, and the one that waits for its end: it is of all who have come meanwhile. */
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** Whether nothing can be written any more. */
  stopped = false;
  /** Called when there is something to be flushed that was not before. */
  dirtied: () => void = () => {};

  /**
   * @param epoch - what times are written relative to, in ms since 1970: the consumer's beginning.
   * @param lasting - resolves when what has gone from the stream stays gone whatever happens; undefined when it does already, as far
   * as it matters: with `whole`, what was settled cannot be told from the state any more.
   */
  constructor(
    journal: Journal,
    clock: Clock,
    epoch: number,
    lasting: (whole: boolean) => Promise<void> | undefined,
  ) {
    this.#journal = journal;
    this.#lasting = lasting;
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
  flush(): Promise<void> {
    this.#next ??= this.#flushAfter(this.#current);
    return this.#next;
  }

  async #flushAfter(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => {});
    this.#current = this.#next;
    this.#next = undefined;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    // After a refusal the whole state stands for all that could not be written, so that nothing gathers while the disk is full.
    const anew = this.#refused || this.#isLong();
    const whole = anew || this.#whole || this.#writer.length > this.#wholeBytes();
    if (whole) this.#writeWhole();
    let changes = this.#writer.take();
    try {
      const lasting = this.#lasting(whole);
      if (lasting !== undefined) {
        changes = changes.slice();
        // What is written goes past messages because they were gone: should they be back after a crash, nobody would get them.
        await lasting;
      }
      if (anew) await this.#journal.compact(changes);
      else {
        if (changes.length > 0) this.#journal.append(changes);
        await this.#journal.flush();
      }
      this.#refused = false;
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
    await (this.#next ?? this.#current)?.catch(() => {});
    await this.#journal.close();
  }

  #wholeBytes(): number {
    const { pending, exhausted } = this.#state!;
    return 64 + (pending.size + exhausted.size) * PENDING_BYTES;
  }

  /** Whether the journal is to be replaced by what it comes to. */
  #isLong(): boolean {
    const { size } = this.#journal;
    return size >= COMPACT_BYTES && size >= this.#wholeBytes() * COMPACT_RATIO;
  }
}
