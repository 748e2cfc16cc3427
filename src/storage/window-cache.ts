import type { Tasks } from "../seams/tasks.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";
import type { Segment } from "./segment.ts";

/** A part of a segment's file in memory. */
export interface Window extends RecordBytes {
  readonly segment: Segment;
  /** Where in the file it begins: a multiple of 8. */
  readonly position: number;
  /** How many bytes there are. */
  readonly used: number;
  /** Whether it was written by this process, so that its checksums need no look. */
  readonly sound: boolean;
  /** Whether somebody may have kept a part of it: its array is not used again then. */
  lent: boolean;
}

/** So many bytes may wait to be used again, besides what is kept. */
const SPARE_BYTES = 16 * 1024 * 1024;

/** The part of the cache that readers who go through a stream have at most: others keep the rest, however long the stream. */
const PASSING_SHARE = 1 / 4;

/**
 * The parts of files that are kept in memory, those used last, over all streams of a server. What was read in passing, by somebody who reads on,
 * goes first once it takes more than a share.
 */
export class WindowCache {
  readonly #limit: number;
  /** In the order of their use. */
  readonly #windows = new Set<Window>();
  readonly #passing = new Set<Window>();
  #bytes = 0;
  #passingBytes = 0;
  #newest: Window | undefined;
  readonly #tasks: Tasks;
  /**
   * Arrays of windows that are not there any more, the oldest first. They are expensive to make, and more so to give back: after a few dozen
   * megabytes of them the engine collects all garbage.
   */
  readonly #spare: RecordBytes[] = [];
  #spareBytes = 0;

  /** @param limit - in bytes. */
  constructor(limit: number, tasks: Tasks) {
    this.#limit = limit;
    this.#tasks = tasks;
  }

  /** Keeps a window. @param passing - whether it was read by somebody who reads on. */
  add(window: Window, passing = false): void {
    window.segment.windows.push(window);
    this.#setOf(passing).add(window);
    this.#bytes += window.bytes.length;
    if (passing) this.#passingBytes += window.bytes.length;
    this.#newest = window;
    while (this.#bytes > this.#limit && this.#windows.size + this.#passing.size > 1) {
      const fromPassing = this.#windows.size === 0 || this.#passingBytes > this.#limit * PASSING_SHARE;
      const [oldest] = this.#setOf(fromPassing);
      if (oldest === window) return;
      this.#remove(oldest);
    }
  }

  /** What a window was in is used again; whoever was given a part of it to look at has done so by the next turn of the event loop. */
  #retire({ bytes, words }: Window): void {
    this.#tasks.later(() => {
      this.#spare.push({ bytes, words });
      this.#spareBytes += bytes.length;
      // Some have a length that nobody asks for again.
      while (this.#spareBytes > SPARE_BYTES) this.#spareBytes -= this.#spare.shift()!.bytes.length;
    });
  }

  #setOf(passing: boolean): Set<Window> {
    return passing ? this.#passing : this.#windows;
  }

  /** The window that has a position of a segment. */
  find(segment: Segment, position: number): Window | undefined {
    const { windows } = segment;
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i];
      if (position < window.position || position >= window.position + window.used) continue;
      if (window !== this.#newest) {
        const set = this.#setOf(this.#passing.has(window));
        set.delete(window);
        set.add(window);
        this.#newest = window;
      }
      return window;
    }
    return undefined;
  }

  /** Whether there is a window that has a position of a segment. */
  has(segment: Segment, position: number): boolean {
    return segment.windows.some((each) => position >= each.position && position < each.position + each.used);
  }

  /** Reads a part of a segment, and keeps it. @param passing - see {@link add}. */
  async load(segment: Segment, position: number, size: number, passing: boolean): Promise<Window> {
    const room = this.#reused(size) ?? recordBytes(size);
    const used = await segment.read(room.bytes, position);
    const window: Window = { segment, ...room, position, used, sound: false, lent: false };
    this.add(window, passing);
    return window;
  }

  /** Room for new records: zeros, which may have been a window before. */
  zeros(size: number): RecordBytes {
    const room = this.#reused(size);
    room?.bytes.fill(0);
    return room ?? recordBytes(size);
  }

  #reused(size: number): RecordBytes | undefined {
    const length = padded(size);
    const at = this.#spare.findIndex(({ bytes }) => bytes.length === length);
    if (at < 0) return undefined;
    this.#spareBytes -= length;
    return this.#spare.splice(at, 1)[0];
  }

  /** Forgets all of a segment. */
  forget(segment: Segment): void {
    for (const window of [...segment.windows]) this.#remove(window);
  }

  #remove(window: Window): void {
    if (this.#passing.delete(window)) this.#passingBytes -= window.bytes.length;
    else if (!this.#windows.delete(window)) return;
    this.#bytes -= window.bytes.length;
    const { windows } = window.segment;
    windows.splice(windows.indexOf(window), 1);
    if (!window.lent) this.#retire(window);
  }
}
