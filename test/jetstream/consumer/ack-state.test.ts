import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AckState } from "../../../src/jetstream/consumer/ack-state.ts";
import type { AckPolicy } from "../../../src/jetstream/consumer/config.ts";
import { StateLog } from "../../../src/jetstream/consumer/state-log.ts";
import { StorageError } from "../../../src/storage/errors.ts";
import type { Journal } from "../../../src/storage/storage.ts";
import { VirtualClock } from "../../support/simulated.ts";

/** A journal in memory. */
class Records implements Journal {
  readonly found: Uint8Array[] = [];
  compactions = 0;

  get size(): number {
    return this.found.reduce((sum, { length }) => sum + length + 64, 0);
  }

  append(bytes: Uint8Array): void {
    this.found.push(bytes.slice());
  }

  async flush(): Promise<void> {}

  async compact(bytes: Uint8Array): Promise<void> {
    this.compactions += 1;
    this.found.length = 0;
    this.append(bytes);
  }

  async close(): Promise<void> {}
}

function* placesOf({ pending }: AckState): Generator<number> {
  for (let place = pending.first(); place >= 0; place = pending.next(place)) yield place;
}

function shown(state: AckState): unknown {
  const { delivered, floor, pending, exhausted } = state;
  const places = [...placesOf(state)];
  return {
    delivered,
    floor,
    exhausted: [...exhausted],
    size: pending.size,
    redelivered: pending.redelivered,
    pending: places.map((place) => [
      pending.seq(place),
      pending.consumerSeq(place),
      pending.time(place),
      pending.redeliveries(place),
    ]),
  };
}

const step = fc.tuple(
  fc.constantFrom(
    "deliver",
    "deliver",
    "deliver",
    "redeliver",
    "settle",
    "settle",
    "through",
    "touch",
    "exhaust",
    "reset",
    "purged",
    "takeBack",
    "flush",
  ),
  fc.nat(),
);

function takeBack(state: AckState, seq: number, now: number): void {
  const { pending, exhausted, floor, delivered } = state;
  if (delivered.consumer === 0 || seq > delivered.stream) return;
  if (pending.find(seq) >= 0 || exhausted.has(seq)) return;
  const before = [...placesOf(state)].map((place) => pending.seq(place));
  const place = state.takeBack(seq, now);
  assert.equal(pending.seq(place), seq);
  assert.ok(floor.stream < seq);
  const seqs = [...placesOf(state)].map((place) => pending.seq(place));
  assert.deepEqual(
    seqs,
    [...before, seq].sort((one, other) => one - other),
  );
}

/** Does something to a state. */
async function act(
  state: AckState,
  log: StateLog,
  clock: VirtualClock,
  name: string,
  pick: number,
): Promise<void> {
  const { pending, delivered } = state;
  let place = pending.first();
  for (let i = pick % Math.max(1, pending.size); i > 0; i--) place = pending.next(place);
  const now = clock.monotonic();
  if (name === "deliver") state.deliver(delivered.stream + 1 + (pick % 3), now);
  else if (name === "flush") await log.flush();
  else if (name === "reset" && pick % 4 === 0) state.reset(1 + (pick % 50));
  else if (name === "purged" && pick % 3 === 0) state.purged(Math.max(1, delivered.stream - (pick % 4)));
  else if (name === "takeBack") takeBack(state, Math.max(1, delivered.stream - (pick % 9)), now);
  if (place < 0) return;
  if (name === "redeliver") state.redeliver(place, now);
  else if (name === "settle") state.settle(pending.seq(place));
  else if (name === "through") state.settleThrough(pending.seq(place), delivered.consumer, () => {});
  else if (name === "touch") state.touch(place, now + (pick % 100));
  else if (name === "exhaust") state.exhaust(place, 3);
}

/** Lets what waits for nothing but a turn go on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test("a state is what its journal says, however it came about", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<AckPolicy>("explicit", "all", "none"),
      fc.array(step, { maxLength: 120, size: "max" }),
      async (policy, steps) => {
        const clock = new VirtualClock();
        const journal = new Records();
        const log = new StateLog(journal, clock, clock.now() - 5_000, () => undefined);
        const state = new AckState(policy, 1, log);
        for (const [name, pick] of steps) {
          if (policy === "none" && name !== "deliver" && name !== "reset" && name !== "flush") continue;
          await act(state, log, clock, name, pick);
          if (pick % 5 === 0) await clock.advance(7);
        }
        await log.flush();
        const again = new AckState(
          policy,
          1,
          new StateLog(journal, clock, clock.now() - 5_000 - (clock.now() - 1_000_000), () => undefined),
        );
        assert.deepEqual(shown(again), shown(state));
      },
    ),
    { numRuns: 300 },
  );
});

test("a journal does not grow without end", async () => {
  const clock = new VirtualClock();
  const journal = new Records();
  const log = new StateLog(journal, clock, clock.now(), () => undefined);
  const state = new AckState("explicit", 1, log);
  // So many are always pending that single changes take less than the whole.
  for (let i = 1; i <= 1_000; i++) state.deliver(i, clock.monotonic());
  for (let round = 0; round < 600; round++) {
    for (let i = 1; i <= 50; i++) {
      state.deliver(1_000 + round * 50 + i, clock.monotonic());
      state.settle(round * 50 + i);
    }
    await log.flush();
    assert.ok(journal.size < 300_000, `${journal.size} bytes after ${round} rounds`);
  }
  assert.ok(journal.compactions > 0);
  const again = new AckState("explicit", 1, new StateLog(journal, clock, clock.now(), () => undefined));
  assert.deepEqual(shown(again), shown(state));
});

test("what is written waits for what has gone from the stream to stay gone, and what comes meanwhile for the next time", async () => {
  const clock = new VirtualClock();
  const journal = new Records();
  const settle: (() => void)[] = [];
  const log = new StateLog(journal, clock, clock.now(), () => new Promise((resolve) => settle.push(resolve)));
  const state = new AckState("explicit", 1, log);
  const read = (): unknown =>
    shown(new AckState("explicit", 1, new StateLog(journal, clock, clock.now(), () => undefined)));
  state.deliver(3, clock.monotonic());
  const before = structuredClone(shown(state));
  const flushed = log.flush();
  await turns();
  assert.equal(settle.length, 1);
  state.deliver(5, clock.monotonic());
  const second = log.flush();
  assert.equal(log.flush(), second, "those who come meanwhile share one");
  await turns();
  assert.equal(journal.found.length, 0, "nothing is written yet");
  settle[0]();
  await flushed;
  assert.deepEqual(read(), before, "what came meanwhile may go past what has gone meanwhile");
  await turns();
  settle[1]();
  await second;
  assert.deepEqual(read(), shown(state));
});

test("a state that cannot be written, as the stream cannot, is written whole the next time", async () => {
  const clock = new VirtualClock();
  const journal = new Records();
  let full = true;
  const log = new StateLog(journal, clock, clock.now(), () =>
    full ? Promise.reject(new StorageError("full", "no space")) : undefined,
  );
  const state = new AckState("explicit", 1, log);
  state.deliver(3, clock.monotonic());
  await assert.rejects(log.flush(), { code: "full" });
  assert.equal(journal.found.length, 0);
  assert.ok(log.dirty);
  full = false;
  state.settle(3);
  await log.flush();
  const again = new AckState("explicit", 1, new StateLog(journal, clock, clock.now(), () => undefined));
  assert.deepEqual(shown(again), shown(state));
});
