import { type RecordBytes, recordBytes } from "./records.ts";
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
}

/** The parts of files that are kept in memory, those used last, over all streams of a server. */
export class WindowCache {
  readonly #limit: number;
  /** In the order of their use. */
  readonly #windows = new Set<Window>();
  #bytes = 0;
  #newest: Window | undefined;

  /** @param limit - in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keeps a window. */
  add(window: Window): void {
    window.segment.windows.push(window);
    this.#windows.add(window);
    this.#bytes += window.bytes.length;
    this.#newest = window;
    for (const oldest of this.#windows) {
      if (this.#bytes <= this.#limit || oldest === window) break;
      this.#remove(oldest);
    }
  }

  /** The window that has a position of a segment. */
  find(segment: Segment, position: number): Window | undefined {
    const { windows } = segment;
    for (let i = windows.length - 1; i >= 0; i--) {
      const window = windows[i];
      if (position < window.position || position >= window.position + window.used) continue;
      if (window !== this.#newest) {
        this.#windows.delete(window);
        this.#windows.add(window);
        this.#newest = window;
      }
      return window;
    }
    return undefined;
  }

  /** Reads a part of a segment, and keeps it. */
  async load(segment: Segment, position: number, size: number): Promise<Window> {
    const file = await segment.file();
    const room = recordBytes(size);
    const used = await file.read(room.bytes, position);
    const window: Window = { segment, ...room, position, used, sound: false };
    this.add(window);
    return window;
  }

  /** Forgets all of a segment. */
  forget(segment: Segment): void {
    for (const window of [...segment.windows]) this.#remove(window);
  }

  #remove(window: Window): void {
    if (!this.#windows.delete(window)) return;
    this.#bytes -= window.bytes.length;
    const { windows } = window.segment;
    windows.splice(windows.indexOf(window), 1);
  }
}
