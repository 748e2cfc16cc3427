/** What our subscriptions promise beyond the official client's: bounds, reports, order, and an end to everything that waits. */
import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Status } from "@nats-io/nats-core";
import { errors } from "@nats-io/nats-core";
import { StatusListeners } from "../../src/client/status-listeners.ts";
import { type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { first, soon } from "../support/waiting.ts";

describe("subscriptions", () => {
  let server: NatsServer;
  let a: Connection;
  let b: Connection;

  beforeEach(async () => {
    server = await NatsServer.start();
    a = await connect({ inProcessServer: server });
    b = await connect({ inProcessServer: server });
  });

  afterEach(async () => {
    await a.close();
    await b.close();
    await server.close();
  });

  const nextStatus = (connection: Connection, type: Status["type"]): Promise<Status> => {
    const events = connection.status();
    return soon(
      (async () => {
        for await (const event of events) if (event.type === type) return event;
        throw new Error(`no ${type}`);
      })(),
      `status ${type}`,
    );
  };

  it("hold no more messages than allowed: the rest is dropped, counted, and reported once", async () => {
    const slow = a.subscribe("x", { pendingMsgs: 10 });
    const event = nextStatus(a, "slowConsumer");
    for (let i = 0; i < 25; i++) b.publish("x", String(i));
    await b.flush();
    const status = await event;
    assert.ok(status.type === "slowConsumer" && status.sub === slow && status.pending === 10);
    assert.equal(slow.getPending(), 10);
    assert.equal(slow.getDropped(), 15);
    assert.equal(slow.getReceived(), 25);
    const got = await first(10, slow);
    assert.deepEqual(
      got.map((msg) => msg.string()),
      Array.from({ length: 10 }, (_, i) => String(i)),
    );
  });

  it("hold no more bytes than allowed, callbacks too", async () => {
    let called = 0;
    const slow = a.subscribe("x", { pendingBytes: 1_000, callback: () => void called++ });
    for (let i = 0; i < 25; i++) b.publish("x", new Uint8Array(100));
    await b.flush();
    assert.equal(called, 10);
    assert.equal(slow.getDropped(), 15);
    b.publish("x");
    await b.flush();
    assert.equal(called, 11);
  });

  it("report when more wait than `slow` says", async () => {
    const slow = a.subscribe("x", { slow: 3 });
    const event = nextStatus(a, "slowConsumer");
    for (let i = 0; i < 5; i++) b.publish("x");
    await b.flush();
    assert.ok((await event).type === "slowConsumer");
    assert.equal(slow.getPending(), 5);
  });

  it("tell the error of a callback, and go on", async () => {
    let called = 0;
    a.subscribe("x", {
      callback: () => {
        called++;
        throw new Error("mine");
      },
    });
    a.subscribe("x", { callback: () => void called++ });
    const event = nextStatus(a, "error");
    b.publish("x");
    b.publish("x");
    await b.flush();
    const status = await event;
    assert.ok(status.type === "error" && status.error.message === "mine");
    assert.equal(called, 4);
  });

  it("call back in the order of arrival, across subscriptions", async () => {
    const got: string[] = [];
    for (const subject of ["x.1", "x.2", "x.*"]) {
      a.subscribe(subject, { callback: (_error, msg) => void got.push(`${subject} ${msg.string()}`) });
    }
    for (let i = 0; i < 6; i++) b.publish(`x.${(i % 2) + 1}`, String(i));
    await b.flush();
    const order = got.map((text) => Number(text.split(" ")[1]));
    assert.deepEqual(order, [...order].sort());
    assert.equal(got.length, 12);
  });

  it("end with a time-out when the first message does not come", async () => {
    const iterator = a.subscribe("x", { timeout: 20 });
    await assert.rejects(first(1, iterator), errors.TimeoutError);
    assert.ok((await soon(iterator.closed, "the end")) instanceof errors.TimeoutError);
    const told = new Promise<Error | null>((resolve) => {
      a.subscribe("x", { timeout: 20, callback: (error) => resolve(error) });
    });
    assert.ok((await soon(told, "the time-out")) instanceof errors.TimeoutError);
    const intime = a.subscribe("x", { timeout: 1_000, max: 1 });
    b.publish("x");
    assert.equal((await first(1, intime)).length, 1);
  });

  it("leave nothing waiting when the connection closes", async () => {
    const iterator = a.subscribe("x");
    const reading = first(1, iterator);
    a.subscribe("silent", { callback: () => {} });
    const request = a.request("silent", "", { timeout: 60_000 });
    const alone = a.request("silent", "", { timeout: 60_000, noMux: true });
    const many = first(1, await a.requestMany("silent", "", { maxWait: 60_000 }));
    const status = first(1, a.status());
    const refused = [
      assert.rejects(request, errors.RequestError),
      assert.rejects(alone, errors.RequestError),
      assert.rejects(many, errors.RequestError),
    ];
    await a.close();
    assert.deepEqual(await soon(reading, "the iterator's end"), []);
    await soon(Promise.all(refused), "the requests' end");
    assert.equal((await soon(status, "the status listener's end"))[0].type, "close");
    assert.equal(await soon(a.closed(), "the end"), undefined);
    assert.equal(await soon(iterator.closed, "the end"), undefined);
  });

  it("leave nothing waiting when the server closes", async () => {
    const iterator = a.subscribe("x");
    const reading = first(1, iterator);
    a.subscribe("silent", { callback: () => {} });
    const request = assert.rejects(a.request("silent", "", { timeout: 60_000 }), errors.RequestError);
    await server.close();
    assert.deepEqual(await soon(reading, "the iterator's end"), []);
    assert.ok((await soon(iterator.closed, "the subscription's end")) instanceof errors.ConnectionError);
    await soon(request, "the request's end");
    assert.ok((await soon(a.closed(), "the end")) instanceof errors.ConnectionError);
    assert.throws(() => a.publish("x"), errors.ClosedConnectionError);
  });

  it("let nothing be published any more once all are drained", async () => {
    await using far = await NatsServer.start({ listen: { host: "127.0.0.1", port: 0 } });
    const nc = await connect({ servers: far.clientUrl });
    const subscription = nc.subscribe("x", { callback: () => {} });
    const drained = nc.drain();
    nc.publish("y", "callbacks may still have something to say");
    await subscription.closed;
    // The connection hears of it by a promise, too, and asks the server then whether it has all.
    for (let i = 0; i < 10; i++) await undefined;
    assert.ok(!nc.isClosed());
    assert.throws(() => nc.publish("y"), errors.DrainingConnectionError);
    await drained;
    assert.throws(() => nc.publish("y"), errors.ClosedConnectionError);
  });

  it("leave no timer behind when a request could not be made", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    await a.close();
    const before = timers();
    for (const noMux of [false, true]) {
      await assert.rejects(a.request("x", "", { timeout: 60_000, noMux }), errors.ClosedConnectionError);
      await assert.rejects(b.request("x y", "", { timeout: 60_000, noMux }), errors.InvalidSubjectError);
      await assert.rejects(a.requestMany("x", "", { maxWait: 60_000, noMux }), errors.ClosedConnectionError);
    }
    assert.equal(timers(), before);
  });

  it("keep the event loop turning while they answer each other for ever", async () => {
    let hops = 0;
    a.subscribe("ping", {
      callback: () => {
        hops++;
        a.publish("pong");
      },
    });
    b.subscribe("pong", { callback: () => b.publish("ping") });
    a.publish("pong");
    const before = hops;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(hops > before);
  });

  it("refuse options that cannot be", () => {
    for (const options of [{ max: -1 }, { timeout: -5 }, { pendingMsgs: -1 }, { queue: "a b" }]) {
      assert.throws(() => a.subscribe("x", options), errors.InvalidArgumentError, JSON.stringify(options));
    }
    assert.throws(() => a.publish("x", 5 as unknown as string), TypeError);
    assert.throws(() => a.publish("x", "", { reply: "a b" }), errors.InvalidSubjectError);
  });
});

describe("listeners to the status", () => {
  it("that do not read miss what comes once 1,024 events wait, and hear of the end", async () => {
    const listeners = new StatusListeners();
    const events = listeners.listen();
    for (let i = 0; i < 3_000; i++) listeners.tell({ type: "ping", pendingPings: i });
    listeners.close();
    const heard: Status[] = [];
    for await (const event of events) heard.push(event);
    assert.equal(heard.length, 1_025);
    assert.deepEqual(heard[1_023], { type: "ping", pendingPings: 1_023 });
    assert.deepEqual(heard[1_024], { type: "close" });
  });
});
