/** What the official libraries use of a connection's inside: with nats-core's own classes, as they do. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { errors, type Msg } from "@nats-io/nats-core";
import {
  Feature,
  type MsgImpl,
  type NatsConnectionImpl,
  type ProtocolHandler,
  RequestOne,
} from "@nats-io/nats-core/internal";
import { type ClientMsg, type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { first, soon } from "../support/waiting.ts";

describe("the inside of a connection, for the official libraries", () => {
  let server: NatsServer;
  let nc: Connection;
  let asOfficial: NatsConnectionImpl;

  beforeEach(async () => {
    server = await NatsServer.start();
    nc = await connect({ inProcessServer: server, inboxPrefix: "mine" });
    asOfficial = nc as unknown as NatsConnectionImpl;
  });

  afterEach(async () => {
    await nc.close();
    await server.close();
  });

  it("says what the server can do, and what the options are", () => {
    assert.equal(asOfficial.features.get(Feature.JS_KV).ok, true);
    assert.equal(asOfficial.features.get(Feature.JS_PRIORITY_GROUPS).ok, true);
    assert.equal(asOfficial.options.inboxPrefix, "mine");
    assert.ok((asOfficial.getServerVersion()?.minor ?? 0) > 10);
  });

  it("moves a subscription: what was on its way for the old subject does not come", async () => {
    const got: string[] = [];
    const subscription = nc.subscribe("old", {
      callback: (_error, msg) => {
        got.push(`${msg.subject} ${msg.string()}`);
        if (msg.string() === "1") asOfficial._resub(subscription, "new", 2);
      },
    });
    const other = nc.subscribe("old");
    for (let i = 0; i < 4; i++) nc.publish("old", String(i));
    await nc.flush();
    for (let i = 4; i < 8; i++) nc.publish("new", String(i));
    await nc.flush();
    assert.deepEqual(got, ["old 0", "old 1", "new 4", "new 5"]);
    assert.ok(subscription.isClosed());
    assert.equal(subscription.getPending(), 0);
    assert.equal((await first(4, other)).length, 4);
  });

  it("takes requests of their making", async () => {
    nc.subscribe("ack", { callback: (_error, msg) => void (msg.string() === "x" && msg.respond("done")) });
    const messages = nc.subscribe("m", { max: 1 });
    nc.publish("m");
    const [msg] = await first(1, messages);
    // As a JetStream message does that wants its acknowledgement acknowledged.
    const ask = (subject: string, payload: string, timeout: number): Promise<Msg> => {
      const protocol = (msg as unknown as MsgImpl).publisher as unknown as ProtocolHandler;
      const request = new RequestOne(protocol.muxSubscriptions, subject, { timeout }, false);
      protocol.request(request);
      protocol.publish(subject, payload, { reply: `${protocol.muxSubscriptions.baseInbox}${request.token}` });
      return Promise.race([request.timer, request.deferred]) as Promise<Msg>;
    };
    const [answer, ours] = await Promise.all([ask("ack", "x", 1_000), nc.request("ack", "x")]);
    assert.equal(answer.string(), "done");
    assert.equal(ours.string(), "done");
    assert.equal((answer as ClientMsg).subject.startsWith("mine."), true);
    await assert.rejects(ask("nobody", "x", 1_000), (error: Error) => {
      assert.ok(error instanceof errors.RequestError && error.cause instanceof errors.NoRespondersError);
      return true;
    });
    await assert.rejects(ask("ack", "y", 20), errors.TimeoutError);
    const lost = assert.rejects(ask("ack", "y", 60_000), errors.RequestError);
    await nc.close();
    await soon(lost, "the request's end");
  });

  it("tells of its end", async () => {
    let told = 0;
    const listener = { connectionClosedCallback: () => void told++ };
    const gone = { connectionClosedCallback: () => assert.fail("was removed") };
    asOfficial.addCloseListener(listener);
    asOfficial.addCloseListener(gone);
    asOfficial.removeCloseListener(gone);
    await nc.close();
    await nc.closed();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told, 1);
  });

  it("lets go of status events with stop", async () => {
    const statuses = nc.status() as AsyncIterable<unknown> & { stop(): void };
    const reading = (async () => {
      for await (const _ of statuses) assert.fail("an event");
    })();
    statuses.stop();
    await soon(reading, "the end of the events");
  });
});
