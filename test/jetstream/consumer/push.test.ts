import assert from "node:assert/strict";
import { test } from "node:test";
import { NOBODY } from "../../../src/broker/internal-publisher.ts";
import { InternalSession } from "../../../src/broker/internal-session.ts";
import { ConsumerHarness, type Got } from "../../support/consumer-harness.ts";

const MESSAGE_BYTES = 200_000;

/** Stores large messages. */
async function publishLarge(h: ConsumerHarness, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    h.store.append("s.x", undefined, new Uint8Array(MESSAGE_BYTES), h.clock.now());
  await h.store.flush();
  await h.rest();
}

/** What is no status. */
function messages(got: readonly Got[]): Got[] {
  return got.filter(({ headers }) => headers === "");
}

function flowRequests(got: readonly Got[]): Got[] {
  return got.filter(({ headers }) => headers.startsWith("NATS/1.0 100 FlowControl Request"));
}

test("flow control stops a consumer whose client does not say how far it is, and the window grows", async () => {
  const h = await ConsumerHarness.open({ storage: "memory", subjects: ["s.>"] });
  const got = h.listen("d");
  await h.create("c", {
    deliver_subject: "d",
    ack_policy: "none",
    flow_control: true,
    idle_heartbeat: 1_000_000_000,
  });
  await publishLarge(h, 40);
  // 2 MiB may be on their way; it is asked after the half of it.
  assert.equal(messages(got).length, 11);
  assert.equal(flowRequests(got).length, 1);
  assert.equal(got.indexOf(flowRequests(got)[0]), 6);
  await h.clock.advance(1_000);
  await h.rest();
  const beat = got.at(-1)!;
  assert.match(
    beat.headers,
    /^NATS\/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 11\r\nNats-Last-Stream: 11\r\n/,
  );
  assert.ok(beat.headers.includes(`Nats-Consumer-Stalled: ${flowRequests(got)[0].reply}\r\n`));
  h.client.publish("$JS.FC.S.c.other", undefined, "");
  await h.rest();
  assert.equal(messages(got).length, 11);
  h.client.publish(flowRequests(got)[0].reply, undefined, "");
  await h.rest();
  // 4 MiB now, of which the five that were sent after the question still count.
  assert.equal(messages(got).length, 27);
  await h.close();
});

test("acknowledged by the answers to flow control", async () => {
  const h = await ConsumerHarness.open({ storage: "memory", subjects: ["s.>"] });
  const got = h.listen("d");
  const config = {
    deliver_subject: "d",
    ack_policy: "flow_control",
    max_ack_pending: 3,
    flow_control: true,
    idle_heartbeat: 1_000_000_000,
  };
  assert.equal(((await h.create("c", config)) as { error?: object }).error, undefined);
  await h.publish("s.1", "s.2", "s.3", "s.4", "s.5");
  await h.rest();
  assert.equal(messages(got).length, 3);
  const [asked] = flowRequests(got);
  const headers = new TextEncoder().encode(
    "NATS/1.0\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 2\r\n\r\n",
  );
  h.client.publish(asked.reply, headers, "");
  await h.rest();
  assert.equal(messages(got).length, 5);
  const info = await h.request("CONSUMER.INFO.S.c");
  assert.deepEqual([info.num_ack_pending, info.ack_floor.stream_seq], [3, 2]);
  await h.close();
});

test("a receiver that is behind is waited for, and nobody else", async () => {
  const h = await ConsumerHarness.open({ storage: "memory", subjects: ["s.>"] });
  let taken = 0;
  let behindFrom = 10;
  const peer = {
    ...NOBODY,
    get behind(): boolean {
      return taken >= behindFrom;
    },
    msg(): void {
      taken += 1;
    },
  };
  const slow = new InternalSession(h.broker, h.broker.globalAccount, peer);
  slow.listen("_INBOX.slow", undefined, 1);
  await h.publish(...Array.from({ length: 50 }, (_, i) => `s.${i}`));
  await h.create("slow", {});
  await h.create("quick", {});
  h.pullTo("_INBOX.slow", "slow", { batch: 50 });
  await h.rest();
  const quick = await h.pull("quick", { batch: 50 });
  assert.equal(quick.length, 50);
  assert.equal(taken, 10);
  await h.clock.advance(100);
  await h.rest();
  assert.equal(taken, 10);
  // Who asks meanwhile is told when the time is over.
  const waiting = await h.pull("slow", { batch: 1, expires: 50_000_000 });
  await h.clock.advance(60);
  await h.rest();
  assert.match(waiting[0].headers, /^NATS\/1.0 408 Request Timeout\r\n/);
  behindFrom = 1_000;
  await h.clock.advance(10);
  await h.rest();
  assert.equal(taken, 50);
  await h.close();
});

test("a consumer that nobody uses goes; one that is used stays", async () => {
  const h = await ConsumerHarness.open({ storage: "file" });
  await h.create("c", { inactive_threshold: 2_000_000_000 });
  await h.create("d", { inactive_threshold: 2_000_000_000 });
  await h.publish("s.1");
  const [got] = await h.pull("c");
  for (let i = 0; i < 4; i++) {
    await h.clock.advance(1_500);
    h.client.publish(got.reply, undefined, "+WPI");
    await h.rest();
  }
  assert.deepEqual(h.consumers.names(), ["c"]);
  await h.ack(got);
  await h.clock.advance(3_100);
  await h.rest();
  assert.deepEqual(h.consumers.names(), []);
  await h.close();
  // Nothing of it comes back.
  const again = await ConsumerHarness.open({ storage: "file" }, h.clock, h.disk);
  assert.deepEqual(again.consumers.names(), []);
  await again.close();
});
