import { type BufferPool, LARGE_BUFFER } from "./buffer-pool.ts";
import { copyBytes } from "./bytes.ts";

/** Where an {@link Outbox} sends its bytes. */
export interface ByteSink {
  /**
   * Takes bytes to send, in order. Returns true if they are gone (or copied), so that the arrays may be written in again; false
   * if the sink holds on to them until it has sent them, and calls {@link Outbox.drained} then.
   */
  write(parts: readonly Uint8Array[]): boolean;
}

/**
 * The bytes that one connection is going to send. Writers ask for {@link room}, write at {@link length} in {@link buffer}, and set
 * `length`; {@link flush} sends what is there. While the sink is busy, full arrays wait here in line.
 */
export class Outbox {
  /** The array being written; empty when there is nothing to send. */
  buffer: Uint8Array = NONE;
  /** How much of it is written. */
  length = 0;
  readonly #pool: BufferPool;
  readonly #sink: ByteSink;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #inSink: readonly Uint8Array[] | undefined;
  #inSinkBytes = 0;
  #closed = false;

  constructor(sink: ByteSink, pool: BufferPool) {
    this.#sink = sink;
    this.#pool = pool;
  }

  /** Bytes written here that the sink has not yet got rid of. */
  get pending(): number {
    return this.length + this.#waitingBytes + this.#inSinkBytes;
  }

  /** How many arrays that is. */
  get chunks(): number {
    return (this.length > 0 ? 1 : 0) + this.#waiting.length + (this.#inSink?.length ?? 0);
  }

  /** Whether the sink still holds an array, and will call {@link drained}. */
  get busy(): boolean {
    return this.#inSink !== undefined;
  }

  /** Makes sure that `bytes` more fit in {@link buffer} after {@link length}. */
  room(bytes: number): Uint8Array {
    return this.length + bytes <= this.buffer.length ? this.buffer : this.#grow(bytes);
  }

  /** Adds `source[start, end)`, over as many arrays as it needs. */
  append(source: Uint8Array, start: number, end: number): void {
    for (;;) {
      const free = this.buffer.length - this.length;
      if (end - start <= free) {
        copyBytes(source, start, end, this.buffer, this.length);
        this.length += end - start;
        return;
      }
      // A small array is exchanged for a large one before anything is split.
      if (free > 0 && this.buffer.length >= LARGE_BUFFER) {
        copyBytes(source, start, start + free, this.buffer, this.length);
        this.length += free;
        start += free;
      }
      this.#grow(Math.min(end - start, LARGE_BUFFER));
    }
  }

  #grow(bytes: number): Uint8Array {
    const old = this.buffer;
    if (this.length > 0 && this.length + bytes <= LARGE_BUFFER) {
      this.buffer = this.#pool.take(LARGE_BUFFER);
      copyBytes(old, 0, this.length, this.buffer, 0);
      this.#pool.give(old);
      return this.buffer;
    }
    if (this.length > 0) this.#send();
    else if (old.length > 0) this.#pool.give(old);
    this.length = 0;
    this.buffer = this.#pool.take(bytes > LARGE_BUFFER ? bytes : old.length > 0 ? LARGE_BUFFER : bytes);
    return this.buffer;
  }

  /** Sends what is written, unless the sink is busy: then {@link drained} will. */
  flush(): void {
    if (this.length === 0 || this.#inSink !== undefined) return;
    this.#send();
  }

  /** Hands the written array to the sink, or to the line before it, and leaves none. */
  #send(): void {
    const part = this.length === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.length);
    this.buffer = NONE;
    this.length = 0;
    if (this.#closed) return;
    if (this.#inSink !== undefined) {
      this.#waiting.push(part);
      this.#waitingBytes += part.length;
      return;
    }
    this.#write([part], part.length);
  }

  #write(parts: readonly Uint8Array[], bytes: number): void {
    if (this.#sink.write(parts)) {
      this.#giveBack(parts);
    } else {
      this.#inSink = parts;
      this.#inSinkBytes = bytes;
    }
  }

  /** The sink is done with the arrays it held. */
  drained(): void {
    if (this.#inSink === undefined) return;
    this.#giveBack(this.#inSink);
    this.#inSink = undefined;
    this.#inSinkBytes = 0;
    if (this.#waiting.length > 0) {
      const parts = this.#waiting;
      const bytes = this.#waitingBytes;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#write(parts, bytes);
    }
    this.flush();
  }

  #giveBack(parts: readonly Uint8Array[]): void {
    for (const part of parts)
      this.#pool.give(part.length === part.buffer.byteLength ? part : new Uint8Array(part.buffer));
  }

  /** Forgets what has not been sent; nothing is sent any more. */
  discard(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#inSinkBytes = 0;
    this.#inSink = undefined;
    this.length = 0;
    this.buffer = NONE;
  }
}

const NONE = new Uint8Array(0);
