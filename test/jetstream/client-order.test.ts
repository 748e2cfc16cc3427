/** What clients rely on that only a whole server shows: when something is said, and what of a moment counts. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";

const OPTIONS = { listen: { host: "127.0.0.1", port: 0 }, jetstream: {} };

async function ask(nc: NatsConnection, subject: string, body: object | string = "") {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  return JSON.parse((await nc.request(subject, payload)).string());
}

async function withStream(count: number): Promise<{ server: NatsServer; nc: NatsConnection }> {
  const server = await NatsServer.start(OPTIONS);
  const nc = await connect({ port: server.port, reconnect: false });
  await ask(nc, "$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s"], storage: "memory" });
  for (let i = 1; i <= count; i++) await ask(nc, "s", `${i}`);
  return { server, nc };
}

it("says that a push consumer is made before its messages come", async () => {
  const { server, nc } = await withStream(3);
  const came: string[] = [];
  const all = new Promise<void>((resolve) => {
    const callback = (_: Error | null, { subject }: { subject: string }): void => {
      came.push(subject);
      if (came.length === 4) resolve();
    };
    nc.subscribe("deliver", { callback });
    nc.subscribe("answer", { callback });
  });
  const config = { name: "c", deliver_subject: "deliver", ack_policy: "none" };
  nc.publish("$JS.API.CONSUMER.CREATE.S.c", JSON.stringify({ stream_name: "S", config }), {
    reply: "answer",
  });
  await all;
  assert.deepEqual(came, ["answer", "s", "s", "s"]);
  await nc.close();
  await server.close();
});

it("begins with the messages not before a moment, to the nanosecond", async () => {
  const { server, nc } = await withStream(1);
  const { state } = await ask(nc, "$JS.API.STREAM.INFO.S");
  const [, whole, fraction = ""] = /^([^.]*)(?:\.(\d+))?Z$/.exec(state.last_ts)!;
  const just = `${whole}.${fraction.padEnd(9, "0")}Z`;
  const after = `${whole}.${fraction.padEnd(8, "0")}1Z`;
  for (const [time, pending] of [
    [just, 1],
    [after, 0],
  ] as const) {
    const config = { deliver_policy: "by_start_time", opt_start_time: time, ack_policy: "none" };
    const made = await ask(nc, "$JS.API.CONSUMER.CREATE.S", { stream_name: "S", config });
    assert.equal(made.num_pending, pending, time);
  }
  await nc.close();
  await server.close();
});

it("tells those who wait for messages that it ends, and what they still had to get", async () => {
  const { server, nc } = await withStream(1);
  await ask(nc, "$JS.API.CONSUMER.CREATE.S.c", {
    stream_name: "S",
    config: { name: "c", ack_policy: "none" },
  });
  const got: string[] = [];
  let first: () => void = () => {};
  const delivered = new Promise<void>((resolve) => {
    first = resolve;
  });
  nc.subscribe("pulled", {
    callback: (_, { headers, data }) => {
      const pending = ["Nats-Pending-Messages", "Nats-Pending-Bytes"].map((name) => headers?.get(name));
      got.push(headers === undefined ? `${data}` : `${headers.code} ${headers.description} ${pending}`);
      first();
    },
  });
  nc.publish("$JS.API.CONSUMER.MSG.NEXT.S.c", '{"batch":3,"expires":60000000000}', { reply: "pulled" });
  await delivered;
  await Promise.all([nc.closed(), server.close()]);
  assert.deepEqual(got, ["1", "409 Server Shutdown 2,0"]);
});
