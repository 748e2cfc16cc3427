/** What consumers make of messages that go to make room, and are back because what they made room for is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamConfig } from "../../../src/jetstream/stream/config.ts";
import { encodeText } from "../../../src/protocol/text.ts";
import { ConsumerHarness, type Got } from "../../support/consumer-harness.ts";
import { VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

const ACK_WAIT_MS = 1_000;

/** A stream with three messages, and a consumer that got so many of them; then the disk gets full. */
async function fill(
  taken: number,
  consumer: object = {},
  config: Partial<StreamConfig> = {},
): Promise<{ h: ConsumerHarness; disk: SimulatedDisk; got: Got[]; told: Got[] }> {
  const disk = new SimulatedDisk();
  const h = await ConsumerHarness.open(config, new VirtualClock(), disk);
  await h.publish("a", "b", "c");
  await h.create("c", { ack_wait: ACK_WAIT_MS * 1e6, ...consumer });
  const got = taken > 0 ? await h.pull("c", { batch: taken }) : [];
  assert.equal(got.length, taken);
  disk.before = (_, name) => (name === "write" ? "full" : undefined);
  return { h, disk, got, told: h.listen("$JS.EVENT.ADVISORY.>") };
}

/** Stores a message, for which the first one has to go. */
function replaceFirst({ store, clock }: ConsumerHarness): void {
  const seq = store.append("x", undefined, encodeText("x"), clock.now());
  assert.ok(store.remove(1, { because: seq }));
}

/** Deliveries, stream's sequence. */
function numbers({ reply }: Got): number[] {
  return reply.split(".").slice(4, 6).map(Number);
}

/** Floor, pending acknowledgements, messages left. */
async function state(h: ConsumerHarness): Promise<unknown[]> {
  const info = await h.request("CONSUMER.INFO.S.c");
  return [info.ack_floor.stream_seq, info.num_ack_pending, info.num_pending];
}

test("a message that is back is still to be acknowledged, and comes again", async () => {
  const { h, told } = await fill(2);
  replaceFirst(h);
  await h.rest();
  assert.ok(h.store.has(1));
  assert.deepEqual(await state(h), [0, 2, 1]);
  assert.deepEqual(told, []);
  const again = await h.pull("c", { batch: 2, expires: 5e9 });
  await h.clock.advance(ACK_WAIT_MS + 10);
  await h.rest();
  assert.ok(
    again.some((got) => String(numbers(got)) === "2,1"),
    "the first message",
  );
  await h.close();
});

test("a message that has made room is forgotten once the other is on disk", async () => {
  const { h, disk, told } = await fill(2);
  disk.before = undefined;
  replaceFirst(h);
  await h.store.flush();
  await h.rest();
  assert.deepEqual(await state(h), [1, 1, 2]);
  assert.deepEqual(told.length, 1);
  await h.close();
});

test("a message that was not yet delivered is left to be", async () => {
  const { h } = await fill(0);
  replaceFirst(h);
  await h.rest();
  assert.deepEqual(await state(h), [0, 0, 3]);
  assert.deepEqual((await h.pull("c", { batch: 3 })).map(numbers), [
    [1, 1],
    [1, 2],
    [1, 3],
  ]);
  await h.close();
});

test("a message that was passed over while it was gone comes after all, also after a restart", async () => {
  for (const restart of [false, true]) {
    const { h, disk } = await fill(0);
    const got = h.listen("in");
    h.pullTo("in", "c", { batch: 1 });
    replaceFirst(h);
    await h.rest();
    assert.deepEqual(got.map(numbers), [[1, 2]]);
    assert.deepEqual(await state(h), [0, 2, 1]);
    disk.before = undefined;
    await h.clock.advance(2_000);
    let now = h;
    if (restart) {
      await h.close();
      now = await ConsumerHarness.open({}, h.clock, disk);
      await now.clock.advance(2 * ACK_WAIT_MS);
    }
    const late = await now.pull("c", { batch: 3, expires: 5e9 });
    await now.rest();
    assert.deepEqual(late.map(numbers).sort(), [
      [1, 3],
      [2, 1],
      [2, 2],
    ]);
    for (const each of late) await now.ack(each);
    assert.deepEqual(await state(now), [3, 0, 0]);
    await now.close();
  }
});

test("a message that was acknowledged while it was gone is released when it is back", async () => {
  const { h, got } = await fill(2, {}, { retention: "workqueue" });
  replaceFirst(h);
  h.client.publish(got[0].reply, undefined, "+ACK");
  await h.rest();
  assert.equal(h.store.has(1), false);
  await h.close();
});
