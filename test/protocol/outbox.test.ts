/**
 * What is written to an outbox goes out, all of it and in order, over a sink that takes it at once or holds on to it; and nobody
 * writes in an array that the sink still holds.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool, LARGE_BUFFER } from "../../src/protocol/buffer-pool.ts";
import { type ByteSink, Outbox } from "../../src/protocol/outbox.ts";
import { bytesOf, concat, latin1 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { CollectingSink, WatchedPool } from "../support/protocol-sinks.ts";

/** A sink that holds on to what it is told to, and sees to it that nobody else writes there. */
class HoldingSink implements ByteSink {
  readonly taken: Uint8Array[] = [];
  /** What `write` answers next; then it holds again. */
  atOnce = false;
  /** How many bytes are gone. */
  gone = 0;
  #held: readonly Uint8Array[] = [];
  #copies: Uint8Array[] = [];

  get holds(): boolean {
    return this.#held.length > 0;
  }

  write(parts: readonly Uint8Array[]): boolean {
    assert.ok(!this.holds, "one that holds bytes is not given more");
    assert.ok(parts.length > 0);
    for (const part of parts) assert.ok(part.length > 0, "there is something in every array");
    const copies = parts.map((part) => part.slice());
    this.taken.push(...copies);
    if (this.atOnce) {
      this.gone += concat(copies).length;
      return true;
    }
    this.#held = parts;
    this.#copies = copies;
    return false;
  }

  /** Sees that what it holds is as it was, and lets go of it. */
  release(): void {
    const same = this.#held.every((part, i) => Buffer.compare(part, this.#copies[i]) === 0);
    assert.ok(same, "nobody writes in what the sink holds");
    this.gone += concat(this.#copies).length;
    this.#held = [];
    this.#copies = [];
  }
}

/** One step of a test's life of an outbox. */
type Step =
  | { do: "room"; ask: number; use: number }
  | { do: "append"; size: number; from: number }
  | { do: "flush"; atOnce: boolean }
  | { do: "drain"; atOnce: boolean };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200) },
  { weight: 3, arbitrary: fc.nat(5_000) },
  { weight: 1, arbitrary: fc.nat(150_000) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(2_048, LARGE_BUFFER, 2 * LARGE_BUFFER, 256 * 1024),
        fc.integer({ min: -3, max: 3 }),
      )
      .map(([near, off]) => near + off),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("room" as const), ask: size, use: fc.nat() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("append" as const), size, from: fc.nat(10) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("flush" as const), atOnce: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drain" as const), atOnce: fc.boolean() }) },
);

describe("Outbox", () => {
  it("sends what is written, in order, and leaves alone what the sink holds", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const sink = new HoldingSink();
        const pool = new WatchedPool();
        const out = new Outbox(sink, pool);
        const all: Uint8Array[] = [];
        let total = 0;
        let next = 0;
        /** Bytes unlike those around them. */
        const fresh = (size: number): Uint8Array => {
          const bytes = new Uint8Array(size);
          for (let i = 0; i < size; i++) bytes[i] = next = (next * 5 + 17 + (i >> 8)) & 255;
          all.push(bytes);
          total += size;
          return bytes;
        };
        for (const step of steps) {
          switch (step.do) {
            case "room": {
              const target = out.room(step.ask);
              assert.equal(target, out.buffer);
              assert.ok(out.length + step.ask <= target.length);
              const bytes = fresh(step.use % (step.ask + 1));
              target.set(bytes, out.length);
              out.length += bytes.length;
              break;
            }
            case "append": {
              const source = new Uint8Array(step.from + step.size + 3);
              const bytes = fresh(step.size);
              source.set(bytes, step.from);
              // It may be sent on the way, when a large array is full.
              out.append(source, step.from, step.from + step.size);
              source.fill(0);
              break;
            }
            case "flush":
              sink.atOnce = step.atOnce;
              out.flush();
              sink.atOnce = false;
              if (!sink.holds) assert.equal(out.pending, 0);
              break;
            case "drain":
              if (!sink.holds) break;
              sink.release();
              sink.atOnce = step.atOnce;
              out.drained();
              sink.atOnce = false;
              break;
          }
          assert.equal(out.pending, total - sink.gone);
          assert.equal(out.busy, sink.holds);
        }
        for (let i = 0; out.pending > 0; i++) {
          assert.ok(i < 10, "it comes to an end");
          out.flush();
          if (!sink.holds) continue;
          sink.release();
          out.drained();
        }
        assert.ok(Buffer.compare(concat(sink.taken), concat(all)) === 0, "the bytes are those written");
        // At most an array with nothing in it.
        assert.ok(pool.lent <= 1, `${pool.lent} arrays are still lent`);
      }),
      { numRuns: 250 },
    );
  });

  it("holds no array when it has sent all", () => {
    const sink = new CollectingSink();
    const pool = new WatchedPool();
    const out = new Outbox(sink, pool);
    for (const length of [1, 3_000, LARGE_BUFFER, LARGE_BUFFER + 1, 500_000]) {
      out.append(new Uint8Array(length), 0, length);
      out.flush();
      assert.equal(out.pending, 0);
      assert.equal(pool.lent, 0);
    }
    assert.equal(out.buffer.length, 0);
  });

  it("sends nothing when there is nothing", () => {
    const sink = new HoldingSink();
    const out = new Outbox(sink, new BufferPool());
    out.flush();
    out.drained();
    out.append(new Uint8Array(5), 3, 3);
    out.flush();
    out.room(100);
    out.flush();
    assert.equal(sink.taken.length, 0);
    assert.equal(out.pending, 0);
    assert.equal(out.busy, false);
  });

  it("gives what waited to the sink at once when it has drained", () => {
    const sink = new HoldingSink();
    const out = new Outbox(sink, new BufferPool());
    out.append(bytesOf("first"), 0, 5);
    out.flush();
    out.append(bytesOf("second"), 0, 6);
    out.flush();
    out.flush();
    assert.equal(latin1(concat(sink.taken)), "first");
    assert.equal(out.pending, 11);
    sink.release();
    out.drained();
    assert.equal(latin1(concat(sink.taken)), "firstsecond");
    assert.equal(out.pending, 6);
    assert.equal(out.busy, true);
    sink.release();
    out.drained();
    assert.equal(out.pending, 0);
    assert.equal(out.busy, false);
  });

  it("keeps many small writes in one array", () => {
    const counted: number[] = [];
    const out = new Outbox({ write: (parts) => counted.push(parts.length) > 0 }, new BufferPool());
    for (let i = 0; i < 1_000; i++) out.append(bytesOf("PING\r\n"), 0, 6);
    out.flush();
    assert.deepEqual(counted, [1]);
  });

  it("keeps small writes in one array while the sink is busy, however often it is told to send them", () => {
    const sink = new HoldingSink();
    const out = new Outbox(sink, new BufferPool());
    for (let i = 0; i < 1_000; i++) {
      out.append(bytesOf("PING\r\n"), 0, 6);
      out.flush();
    }
    assert.equal(sink.taken.length, 1);
    sink.release();
    out.drained();
    assert.equal(sink.taken.length, 2);
    assert.equal(out.pending, 999 * 6);
  });

  it("sends nothing after it was told to forget", () => {
    const sink = new HoldingSink();
    const pool = new WatchedPool();
    const out = new Outbox(sink, pool);
    out.append(bytesOf("first"), 0, 5);
    out.flush();
    out.append(new Uint8Array(300_000), 0, 300_000);
    assert.equal(out.pending, 300_005);
    out.discard();
    assert.equal(out.pending, 0);
    assert.equal(out.busy, false);
    // The sink may still hold what it was given, and say that it is done.
    sink.release();
    out.drained();
    out.append(bytesOf("second"), 0, 6);
    out.flush();
    out.append(new Uint8Array(300_000), 0, 300_000);
    out.flush();
    out.drained();
    assert.equal(latin1(concat(sink.taken)), "first");
    assert.equal(out.pending, 0);
  });

  it("does not have others write in what the sink still holds when it forgets", () => {
    const sink = new HoldingSink();
    const pool = new WatchedPool();
    const out = new Outbox(sink, pool);
    out.append(bytesOf("first"), 0, 5);
    out.flush();
    out.discard();
    for (let i = 0; i < 10; i++) pool.take(100).fill(1);
    sink.release();
  });
});
