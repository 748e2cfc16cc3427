/** Where the outboxes of the protocol tests write to, and a pool that watches what it lends. */
import assert from "node:assert/strict";
import { BufferPool } from "../../src/protocol/buffer-pool.ts";
import { type ByteSink, Outbox } from "../../src/protocol/outbox.ts";
import { concat } from "./protocol-bytes.ts";

/** Takes everything at once. */
export class CollectingSink implements ByteSink {
  readonly #parts: Uint8Array[] = [];

  write(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) this.#parts.push(part.slice());
    return true;
  }

  /** All that was written. */
  get bytes(): Uint8Array {
    return concat(this.#parts);
  }
}

/** What `write` writes to an outbox, all of it flushed. */
export function written(write: (out: Outbox) => void): Uint8Array {
  const sink = new CollectingSink();
  const out = new Outbox(sink, new BufferPool());
  write(out);
  out.flush();
  assert.equal(out.pending, 0);
  return sink.bytes;
}

/** A pool that knows what it has lent, and stops a borrower that gives back what is not lent to it. */
export class WatchedPool extends BufferPool {
  /** The largest array that was asked for. */
  largest = 0;
  readonly #lent = new Set<ArrayBufferLike>();

  /** How many arrays are lent now. */
  get lent(): number {
    return this.#lent.size;
  }

  override take(room: number): Uint8Array {
    this.largest = Math.max(this.largest, room);
    const buffer = super.take(room);
    assert.ok(buffer.length >= room, "an array has the room that was asked for");
    assert.ok(!this.#lent.has(buffer.buffer), "an array is lent to one at a time");
    this.#lent.add(buffer.buffer);
    return buffer;
  }

  override give(buffer: Uint8Array): void {
    if (buffer.length > 0) {
      assert.equal(buffer.length, buffer.buffer.byteLength, "an array is given back whole");
      assert.ok(this.#lent.delete(buffer.buffer), "what is given back was lent");
      // Whoever still reads it shall notice.
      buffer.fill(0xee);
    }
    super.give(buffer);
  }
}
