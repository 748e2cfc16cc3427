/** Message traces of this server: scenarios, clients in process, sampling, and a server that has nobody to publish them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { connect, headers, type NatsConnection, NatsServer } from "../../src/runtime/node/index.ts";
import { runTraces } from "../support/trace-run.ts";
import { TRACE_SCENARIOS, TRACED_ACCOUNTS } from "../support/traced.ts";
import { first } from "../support/waiting.ts";

/** Publishes with headers. */
function publish(client: NatsConnection, subject: string, lines: Record<string, string>): void {
  const block = headers();
  for (const [name, value] of Object.entries(lines)) block.set(name, value);
  client.publish(subject, "x", { headers: block });
}

describe("message traces", () => {
  for (const scenario of TRACE_SCENARIOS) {
    it(`come of ${scenario.name}`, async () => {
      await using server = await NatsServer.start({
        listen: { port: 0 },
        accounts: { A: TRACED_ACCOUNTS.A, B: { ...TRACED_ACCOUNTS.B, msgTrace: { dest: "trace.b" } } },
      });
      const { traces } = await runTraces(server.port!, scenario);
      assert.equal(traces.length, scenario.traces);
    });
  }

  it("come of messages of clients in process, and to them", async () => {
    await using server = await NatsServer.start({ serverName: "S" });
    const client = await connect({ inProcessServer: server, name: "c" });
    const traces = client.subscribe("t");
    const messages = client.subscribe("foo.*", { max: 1 });
    publish(client, "foo.1", { "Nats-Trace-Dest": "t", "Nats-Trace-Only": "true" });
    publish(client, "foo.2", { "Nats-Trace-Dest": "t", "Accept-Encoding": "gzip" });
    const [one, two] = await first(2, traces);
    const events = (data: string) => JSON.parse(data).events.map((event: { type: string }) => event.type);
    assert.deepEqual(events(one.string()), ["in", "eg"]);
    assert.equal(two.headers?.get("Content-Encoding"), "gzip");
    const trace = JSON.parse(gunzipSync(two.data).toString());
    assert.equal(trace.server.name, "S");
    assert.equal(trace.events[0].name, "c");
    assert.equal(trace.events[0].subj, "foo.2");
    const [heard] = await first(1, messages);
    assert.equal(heard.subject, "foo.2");
    await client.close();
  });

  it("are not made where the server has no voice, and what was only to be traced is not delivered", async () => {
    await using server = await NatsServer.start({ noSystemAccount: true });
    const client = await connect({ inProcessServer: server });
    const heard = client.subscribe(">");
    publish(client, "a", { "Nats-Trace-Dest": "t", "Nats-Trace-Only": "true" });
    publish(client, "b", { "Nats-Trace-Dest": "t" });
    client.publish("end");
    assert.deepEqual(
      (await first(2, heard)).map((msg) => msg.subject),
      ["b", "end"],
    );
    await client.close();
  });

  it("are made of some messages with traceparent, if the account says how many; the others say so", async () => {
    await using server = await NatsServer.start({
      accounts: { B: { ...TRACED_ACCOUNTS.B, msgTrace: { dest: "trace", sampling: 50 } } },
    });
    const client = await connect({ inProcessServer: server, user: "b", pass: "x" });
    const traces = client.subscribe("trace");
    const heard = client.subscribe("foo");
    const count = 400;
    for (let i = 0; i < count; i++)
      publish(client, "foo", { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
    const messages = await first(count, heard);
    const off = messages.filter((msg) => msg.headers?.get("Nats-Trace-Dest") === "trace disabled").length;
    assert.ok(off > count / 5 && off < (count * 4) / 5, `${off} of ${count} were not traced`);
    assert.equal((await first(count - off, traces)).length, count - off);
    assert.equal(messages[0].string(), "x");
    await client.close();
  });
});
