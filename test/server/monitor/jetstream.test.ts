/** JetStream in monitoring, where a nats-server cannot be made to show the same. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Connection, connect, NatsServer } from "../../../src/runtime/node/index.ts";

async function get(server: NatsServer, path: string) {
  const response = await fetch(server.monitorUrl + path);
  // biome-ignore lint/suspicious/noExplicitAny: what is asked for is checked field by field.
  return { status: response.status, body: (await response.json()) as any };
}

async function create(nc: Connection, name: string, config: object = {}): Promise<void> {
  const body = JSON.stringify({ name, subjects: [`${name}.>`], ...config });
  const answer = (await nc.request(`$JS.API.STREAM.CREATE.${name}`, body)).json<{ error?: unknown }>();
  assert.equal(answer.error, undefined);
}

async function addConsumer(nc: Connection, stream: string, name: string): Promise<void> {
  const config = { durable_name: name, ack_policy: "explicit" };
  const body = JSON.stringify({ stream_name: stream, config });
  const answer = await nc.request(`$JS.API.CONSUMER.CREATE.${stream}.${name}`, body);
  assert.equal(answer.json<{ error?: unknown }>().error, undefined);
}

test("a server is not well while a stream cannot be recovered", async () => {
  const storeDir = await mkdtemp(join(tmpdir(), "gnatlet-health-"));
  const options = { http: { port: 0 }, jetstream: { storeDir } };
  const first = await NatsServer.start(options);
  const nc = await connect({ inProcessServer: first });
  for (const name of ["bad", "good"]) await create(nc, name);
  assert.deepEqual(await get(first, "/healthz"), { status: 200, body: { status: "ok" } });
  await nc.close();
  await first.close();
  let damaged = 0;
  for (const file of await readdir(storeDir, { recursive: true })) {
    if (!/bad\.(doc|copy)$/.test(file)) continue;
    await writeFile(join(storeDir, file), "nonsense");
    damaged += 1;
  }
  assert.ok(damaged > 0, "the stream's description is found");
  await using server = await NatsServer.start(options);
  const error = "JetStream stream '$G > bad' could not be recovered";
  const sick = { status: 503, body: { status: "unavailable", error } };
  assert.deepEqual(await get(server, "/healthz"), sick);
  assert.deepEqual(await get(server, "/healthz?account=$G&stream=bad"), sick);
  assert.deepEqual(await get(server, "/healthz?account=$G&stream=bad&consumer=c"), sick);
  assert.deepEqual(await get(server, "/healthz?details=1"), {
    status: 503,
    body: { status: "error", errors: [{ type: "STREAM", account: "$G", stream: "bad", error }] },
  });
  for (const path of ["?account=$G&stream=good", "?js-enabled-only=1", "?js-server-only=1"])
    assert.equal((await get(server, `/healthz${path}`)).status, 200, path);
  const metrics = await (await fetch(`${server.monitorUrl}/metrics`)).text();
  assert.match(metrics, /^gnatsd_healthz_status\{.*\} 1$/m);
  await server.close();
  await rm(storeDir, { recursive: true, force: true });
});

test("an account and a stream in memory that have never had a file are found", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, jetstream: {} });
  assert.equal((await get(server, "/healthz?account=$G")).status, 200);
  const nc = await connect({ inProcessServer: server });
  await create(nc, "M", { storage: "memory" });
  assert.equal((await get(server, "/healthz?account=$G&stream=M")).status, 200);
});

test("`newest` shows the streams that were written to last, and so many consumers of each", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, jetstream: {} });
  const nc = await connect({ inProcessServer: server });
  for (const name of ["A", "B", "C"]) {
    await create(nc, name);
    for (const consumer of ["x", "y", "z"]) await addConsumer(nc, name, consumer);
  }
  for (const subject of ["B.1", "C.1"]) await nc.request(subject, "");
  const { body } = await get(server, "/jsz?consumers=1&newest=2");
  const streams = body.account_details[0].stream_detail as { name: string; consumer_detail: object[] }[];
  assert.deepEqual(
    streams.map((each) => [each.name, each.consumer_detail.length]),
    [
      ["B", 2],
      ["C", 2],
    ],
  );
  assert.deepEqual([body.streams, body.consumers], [3, 9], "the sums are of all");
});

test("a stream that is deleted while a view is made is left out, or whole", async () => {
  await using server = await NatsServer.start({ http: { port: 0 }, jetstream: {} });
  const nc = await connect({ inProcessServer: server });
  const names = Array.from({ length: 100 }, (_, i) => `S${i}`);
  for (const name of names) await create(nc, name);
  const views = Array.from({ length: 10 }, () => get(server, "/jsz?consumers=1&config=1"));
  await Promise.all(names.map((name) => nc.request(`$JS.API.STREAM.DELETE.${name}`)));
  for (const { status, body } of await Promise.all(views)) {
    assert.equal(status, 200);
    for (const stream of body.account_details[0].stream_detail ?? [])
      assert.ok(stream.config.name, stream.name);
  }
  const { body } = await get(server, "/jsz?streams=1");
  assert.deepEqual([body.streams, body.account_details[0].stream_detail], [0, undefined]);
});
