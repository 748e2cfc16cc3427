import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumerHarness, type Got } from "../../support/consumer-harness.ts";

/** What came, in short: data of messages, first lines of others. */
function shown(got: readonly Got[]): string[] {
  return got.map(({ data, headers }) =>
    headers.startsWith("NATS/1.0 ") ? headers.split("\r\n")[0].slice(9) : data,
  );
}

/** The numbers of an acknowledgement's subject: deliveries, stream's and consumer's sequence, pending. */
function numbers({ reply }: Got): number[] {
  const tokens = reply.split(".").slice(4).map(Number);
  return [tokens[0], tokens[1], tokens[2], tokens[4]];
}

test("a batch is delivered with what is left, acknowledged, and the floor follows", async () => {
  const h = await ConsumerHarness.open();
  await h.publish("a", "b", "c");
  await h.create("c", {});
  const got = await h.pull("c", { batch: 2 });
  assert.deepEqual(shown(got), ["a", "b"]);
  assert.deepEqual(got.map(numbers), [
    [1, 1, 1, 2],
    [1, 2, 2, 1],
  ]);
  await h.ack(got[1]);
  let info = await h.request("CONSUMER.INFO.S.c");
  assert.deepEqual(
    [info.delivered.stream_seq, info.ack_floor.stream_seq, info.num_ack_pending, info.num_pending],
    [2, 0, 1, 1],
  );
  await h.ack(got[0]);
  info = await h.request("CONSUMER.INFO.S.c");
  assert.deepEqual([info.ack_floor.stream_seq, info.num_ack_pending], [2, 0]);
  await h.close();
});

test("requests wait for messages, expire, and say what they still had to get", async () => {
  const h = await ConsumerHarness.open();
  await h.create("c", {});
  const got = await h.pull("c", { batch: 3, expires: 1_000_000_000 });
  assert.deepEqual(shown(got), []);
  await h.publish("x");
  await h.rest();
  assert.deepEqual(shown(got), ["x"]);
  await h.clock.advance(999);
  assert.deepEqual(shown(got), ["x"]);
  await h.clock.advance(2);
  await h.rest();
  assert.deepEqual(shown(got), ["x", "408 Request Timeout"]);
  assert.match(got[1].headers, /Nats-Pending-Messages: 2\r\nNats-Pending-Bytes: 0/);
  await h.close();
});

test("messages come as slowly as they were stored, where that is wanted", async () => {
  const h = await ConsumerHarness.open();
  for (const subject of ["x", "y", "z"]) {
    await h.publish(subject);
    await h.clock.advance(400);
  }
  await h.create("c", { replay_policy: "original" });
  const got = await h.pull("c", { batch: 3, expires: 5_000_000_000 });
  for (const [wait, come] of [
    [399, 1],
    [1, 2],
    [399, 2],
    [1, 3],
  ]) {
    await h.clock.advance(wait);
    await h.rest();
    assert.deepEqual(shown(got), ["x", "y", "z"].slice(0, come));
  }
  await h.close();
});

test("what is not acknowledged in time comes again, as often as it may", async () => {
  const h = await ConsumerHarness.open();
  const advisories = h.listen("$JS.EVENT.ADVISORY.>");
  await h.publish("x");
  await h.create("c", { ack_wait: 1_000_000_000, max_deliver: 2 });
  const got = await h.pull("c", { batch: 9 });
  assert.deepEqual(got.map(numbers), [[1, 1, 1, 0]]);
  await h.clock.advance(1_100);
  await h.rest();
  assert.deepEqual(got.map(numbers).at(-1), [2, 1, 2, 0]);
  await h.clock.advance(1_100);
  await h.rest();
  assert.equal(got.length, 2);
  const { subject, data } = advisories.at(-1)!;
  assert.equal(subject, "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.c");
  assert.deepEqual([JSON.parse(data).stream_seq, JSON.parse(data).deliveries], [1, 2]);
  await h.close();
});

test("acknowledged messages stay so after a restart, others come again", async () => {
  const h = await ConsumerHarness.open({ storage: "file" });
  await h.publish("a", "b", "c");
  await h.create("c", { durable_name: "c", ack_wait: 2_000_000_000 });
  const got = await h.pull("c", { batch: 3 });
  await h.ack(got[1]);
  await h.close();
  const again = await ConsumerHarness.open({ storage: "file" }, h.clock, h.disk);
  const info = await again.request("CONSUMER.INFO.S.c");
  assert.deepEqual([info.num_ack_pending, info.num_pending], [2, 0]);
  await again.clock.advance(3_000);
  const rest = await again.pull("c", { batch: 9 });
  assert.deepEqual(shown(rest), ["a", "c"]);
  await again.close();
});

test("a purge of some of a consumer's subjects leaves it the messages of the others, also those on their way", async () => {
  const h = await ConsumerHarness.open({ subjects: ["s.>"] });
  await h.publish("s.a.1", "s.1", "s.b.1", "s.1", "s.a.1");
  await h.create("c", { filter_subjects: ["s.a.*", "s.*"] });
  const got = await h.pull("c", { batch: 2 });
  await h.purge({ filter: "s.*" });
  await h.ack(got[0], "-NAK");
  const info = await h.request("CONSUMER.INFO.S.c");
  assert.deepEqual([info.num_ack_pending, info.num_pending], [1, 1]);
  const rest = await h.pull("c", { batch: 5, no_wait: true });
  assert.deepEqual(rest.filter(({ reply }) => reply !== "").map(numbers), [
    [2, 1, 3, 1],
    [1, 5, 4, 0],
  ]);
  await h.close();
});
