import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { errors, type Status } from "@nats-io/nats-core";
import {
  type Connection,
  type ConnectOptions,
  connect,
  ReconnectBufferExceededError,
  WriteBufferExceededError,
} from "../../src/runtime/node/index.ts";
import { NetworkProxy } from "./proxy.ts";
import { soon, until } from "./waiting.ts";

/** A server for {@link reconnectSuite}. */
export interface SuiteServer {
  readonly port: number;
  close(): Promise<void>;
}

const FAST: ConnectOptions = { reconnectTimeWait: 10, reconnectJitter: 0, maxReconnectAttempts: -1 };

/** What a connection does when the network fails: over real sockets, through a proxy that fails on demand. */
export function reconnectSuite(name: string, start: () => Promise<SuiteServer>): void {
  describe(name, () => {
    let server: SuiteServer;
    let proxy: NetworkProxy;
    let direct: Connection;
    let opened: Connection[];
    let events: Status[];

    beforeEach(async () => {
      server = await start();
      proxy = await NetworkProxy.start(server.port);
      direct = await connect({ servers: `127.0.0.1:${server.port}` });
      opened = [direct];
      events = [];
    });

    afterEach(async () => {
      for (const each of opened) await each.close();
      await proxy.close();
      await server.close();
    });

    async function through(options: ConnectOptions = {}): Promise<Connection> {
      const nc = await connect({
        servers: proxy.url,
        ...FAST,
        onStatus: (status) => events.push(status),
        ...options,
      });
      opened.push(nc);
      return nc;
    }

    const count = (type: Status["type"]): number => events.filter((event) => event.type === type).length;
    const reconnected = (times = 1): Promise<void> =>
      until(() => count("reconnect") === times, `${times} reconnects`);
    const lost = (): Promise<void> =>
      until(() => count("disconnect") > count("reconnect"), "the loss is noticed");

    it("keeps its subscriptions, and tells what happens", async () => {
      const nc = await through();
      const called: string[] = [];
      nc.subscribe("a.*", { callback: (_error, msg) => void called.push(msg.string()) });
      nc.subscribe("a.*", { queue: "q", callback: (_error, msg) => void called.push(`q ${msg.string()}`) });
      const iterator = nc.subscribe("a.>");
      await nc.flush();
      direct.publish("a.b", "before");
      await direct.flush();
      await nc.flush();
      proxy.cut();
      await reconnected();
      await nc.flush();
      direct.publish("a.b", "after");
      await direct.flush();
      await nc.flush();
      assert.deepEqual(called.sort(), ["after", "before", "q after", "q before"]);
      await iterator.drain();
      const read: string[] = [];
      for await (const msg of iterator) read.push(msg.string());
      assert.deepEqual(read, ["before", "after"]);
      assert.deepEqual(
        events.map(({ type }) => type),
        ["reconnecting", "disconnect", "reconnecting", "reconnect"],
      );
      const told = events.find((event) => event.type === "reconnect");
      assert.ok(told?.type === "reconnect" && told.server === `127.0.0.1:${proxy.port}`);
      assert.equal(nc.stats().reconnects, 1);
    });

    it("keeps how many messages a subscription may still get", async () => {
      const nc = await through();
      let called = 0;
      const limited = nc.subscribe("m", { max: 5, callback: () => void called++ });
      const later = nc.subscribe("m");
      const replies = nc.subscribe("gone", { callback: () => {} });
      await nc.flush();
      for (let i = 0; i < 2; i++) direct.publish("m", String(i));
      await direct.flush();
      await nc.flush();
      proxy.cut();
      await reconnected();
      later.unsubscribe(4);
      replies.unsubscribe();
      await nc.flush();
      for (let i = 2; i < 10; i++) direct.publish("m", String(i));
      await direct.flush();
      await nc.flush();
      assert.equal(called, 5);
      assert.ok(limited.isClosed());
      const read: string[] = [];
      for await (const msg of later) read.push(msg.string());
      assert.deepEqual(read, ["0", "1", "2", "3"]);
      // The server delivers no more than that: it was told what is left.
      assert.equal(nc.stats().inMsgs, 2 + 2 + 3 + 2);
      // Nobody is subscribed any more: the server says so.
      await assert.rejects(direct.request("m"), (error: Error) => error instanceof errors.RequestError);
    });

    it("sends what was published meanwhile, in order and once", async () => {
      const nc = await through();
      const got: string[] = [];
      direct.subscribe("p.>", { callback: (_error, msg) => void got.push(`${msg.subject} ${msg.string()}`) });
      await direct.flush();
      await proxy.goAway();
      await lost();
      const bytes = new Uint8Array([49]);
      for (let i = 0; i < 100; i++) nc.publish(`p.${i}`, i % 2 === 0 ? "text ü" : bytes);
      bytes.fill(50);
      const flushed = nc.flush();
      // Attempts that fail change nothing.
      await until(() => count("reconnecting") > 3, "some attempts");
      await proxy.listen();
      await soon(flushed, "the flush");
      await direct.flush();
      assert.deepEqual(
        got,
        Array.from({ length: 100 }, (_, i) => `p.${i} ${i % 2 === 0 ? "text ü" : "1"}`),
      );
      assert.equal(nc.stats().outMsgs, 100);
    });

    it("keeps no more than it may while it has no server", async () => {
      const nc = await through({ reconnectBufferSize: 1_000 });
      const none = await through({ reconnectBufferSize: -1 });
      let came = 0;
      direct.subscribe("b", { callback: () => void came++ });
      await direct.flush();
      await proxy.goAway();
      await until(() => count("disconnect") === 2, "both are lost");
      let taken = 0;
      assert.throws(
        () => {
          for (; taken < 100; taken++) nc.publish("b", new Uint8Array(100));
        },
        (error: Error) => error instanceof ReconnectBufferExceededError && error.limit === 1_000,
      );
      assert.equal(taken, 8);
      assert.throws(() => none.publish("b"), ReconnectBufferExceededError);
      await assert.rejects(none.request("b"), ReconnectBufferExceededError);
      assert.equal(nc.stats().outMsgs, taken);
      await proxy.listen();
      await until(() => count("reconnect") === 2, "both are back");
      await nc.flush();
      await direct.flush();
      assert.equal(came, taken);
      nc.publish("b", new Uint8Array(10_000));
      await nc.flush();
    });

    it("keeps no more than it may while the server does not read", async () => {
      const limit = 1_000_000;
      const nc = await through({ writeBufferSize: limit });
      let came = 0;
      direct.subscribe("w", { callback: () => void came++ });
      await direct.flush();
      assert.equal(nc.buffered(), 0);
      proxy.stick();
      let taken = 0;
      const payload = new Uint8Array(50_000);
      assert.throws(
        () => {
          for (; taken < 2_000; taken++) nc.publish("w", payload);
        },
        (error: Error) => error instanceof WriteBufferExceededError && error.limit === limit,
      );
      assert.ok(nc.buffered() > limit - 100_000 && nc.buffered() <= limit + 100_000, `${nc.buffered()} wait`);
      await assert.rejects(nc.request("w", payload), WriteBufferExceededError);
      assert.equal(nc.stats().outMsgs, taken);
      // What waits for another server is what the other option is for.
      await proxy.goAway();
      await lost();
      assert.equal(nc.buffered(), 0);
      for (let i = 0; i < 40; i++) nc.publish("w", payload);
      assert.ok(nc.buffered() >= 40 * payload.length);
      proxy.unstick();
      const before = came;
      await proxy.listen();
      await reconnected();
      await nc.flush();
      await direct.flush();
      assert.equal(came - before, 40);
      assert.equal(nc.buffered(), 0);
    });

    it("fails requests that are under way, and makes those that come later", async () => {
      const nc = await through();
      direct.subscribe("silent", { callback: () => {} });
      direct.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
      await direct.flush();
      const many = await nc.requestMany("silent", "", { maxWait: 60_000 });
      const waiting = [
        nc.request("silent", "", { timeout: 60_000 }),
        nc.request("silent", "", { timeout: 60_000, noMux: true }),
        (async () => {
          for await (const _ of many) assert.fail("an answer");
        })(),
      ];
      const checked = waiting.map((each) =>
        assert.rejects(each, (error: Error) => {
          assert.ok(error instanceof errors.RequestError, String(error));
          assert.equal(error.message, "connection disconnected");
          return true;
        }),
      );
      await nc.flush();
      await proxy.goAway();
      await soon(Promise.all(checked), "the requests' end");
      await assert.rejects(nc.rtt(), errors.RequestError);
      const later = [
        nc.request("echo", "1", { timeout: 5_000 }),
        nc.request("echo", "2", { timeout: 5_000, noMux: true }),
      ];
      await proxy.listen();
      assert.deepEqual(
        (await Promise.all(later)).map((msg) => msg.string()),
        ["1", "2"],
      );
    });

    it("rejects a flush that the loss overtakes, and one that takes too long", async () => {
      const nc = await through();
      proxy.stick();
      const flushed = assert.rejects(nc.flush(), errors.RequestError);
      await assert.rejects(nc.flush({ timeout: 20 }), errors.TimeoutError);
      await assert.rejects(nc.flush({ timeout: 0 }), errors.InvalidArgumentError);
      proxy.unstick();
      proxy.cut();
      await soon(flushed, "the flush's end");
      await reconnected();
      await nc.flush({ timeout: 5_000 });
    });

    it("delivers what came before garbage, and goes on with a new connection", async () => {
      const nc = await through();
      const got: string[] = [];
      const subscription = nc.subscribe("g", { callback: (_error, msg) => void got.push(msg.string()) });
      await nc.flush();
      const message = `MSG g ${subscription.getID()} 1\r\nx\r\n`;
      proxy.inject(`${message}GARBAGE here\r\n${message}`);
      await reconnected();
      await nc.flush();
      direct.publish("g", "y");
      await direct.flush();
      await nc.flush();
      assert.deepEqual(got, ["x", "y"]);
    });

    it("notices that a server does not answer, and leaves it", async () => {
      const nc = await through({ pingInterval: 20, maxPingOut: 2 });
      await nc.flush();
      proxy.stick();
      await until(() => count("staleConnection") > 0, "it is stale");
      proxy.unstick();
      await until(() => count("reconnect") > 0, "it is back");
      await nc.flush();
      assert.ok(count("ping") >= 2);
    });

    it("gives up on an attempt that leads nowhere, and tries again", async () => {
      // A busy machine may need more than one attempt for the first connection, too.
      const nc = await through({ timeout: 150, waitOnFirstConnect: true });
      const before = count("reconnecting");
      proxy.stick();
      proxy.cut();
      await until(() => count("reconnecting") > before + 2, "some attempts");
      proxy.unstick();
      await reconnected();
      await nc.flush();
    });

    it("gives up after as many attempts as it may, and leaves nothing waiting", async () => {
      const nc = await through({ maxReconnectAttempts: 3 });
      const reader = nc.subscribe("x");
      const reading = (async () => {
        for await (const _ of reader) assert.fail("a message");
      })();
      const status = nc.status();
      const statuses = (async () => {
        const types: string[] = [];
        for await (const event of status) types.push(event.type);
        return types;
      })();
      await nc.flush();
      await proxy.goAway();
      await lost();
      const waiting = [
        // A loop that nobody awaits must not end the program: it ends, and `closed` says why.
        reading,
        assert.rejects(nc.flush(), errors.ConnectionError),
        assert.rejects(nc.request("x", "", { timeout: 60_000 }), errors.RequestError),
        assert.rejects(nc.request("x", "", { timeout: 60_000, noMux: true }), errors.RequestError),
      ];
      const error = await soon(nc.closed(), "the end");
      assert.ok(error instanceof errors.ConnectionError);
      assert.equal(error.message, "connection refused");
      await soon(Promise.all(waiting), "the end of all that waits");
      assert.equal(await soon(reader.closed, "why the reader ended"), error);
      assert.deepEqual(await soon(statuses, "the end of the events"), [
        "disconnect",
        ...new Array(3).fill("reconnecting"),
        "close",
      ]);
      assert.throws(() => nc.publish("x"), errors.ClosedConnectionError);
    });

    it("does not come back when it may not", async () => {
      const nc = await through({ reconnect: false });
      await nc.flush();
      proxy.cut();
      assert.ok((await soon(nc.closed(), "the end")) instanceof Error);
      assert.equal(count("reconnecting"), 1);
      const forced = await through({ reconnect: false });
      await forced.reconnect();
      assert.equal(await soon(forced.closed(), "the end"), undefined);
    });

    it("can be closed while it looks for a server", async () => {
      const nc = await through({ reconnectTimeWait: 60_000 });
      proxy.refusing = true;
      proxy.cut();
      await lost();
      const flushed = assert.rejects(nc.flush(), errors.ClosedConnectionError);
      await nc.close();
      await soon(flushed, "the flush's end");
      assert.equal(await soon(nc.closed(), "the end"), undefined);
    });

    it("drains when it is back", async () => {
      const nc = await through();
      let came = 0;
      direct.subscribe("d", { callback: () => void came++ });
      const subscription = nc.subscribe("x", { callback: () => {} });
      await direct.flush();
      await proxy.goAway();
      await lost();
      for (let i = 0; i < 10; i++) nc.publish("d");
      const drained = nc.drain();
      await assert.rejects(nc.drain(), errors.DrainingConnectionError);
      await assert.rejects(nc.reconnect(), errors.DrainingConnectionError);
      await proxy.listen();
      await soon(drained, "the drain");
      await direct.flush();
      assert.equal(came, 10);
      assert.ok(subscription.isClosed() && nc.isClosed());
      await assert.rejects(nc.reconnect(), errors.ClosedConnectionError);
    });

    it("reconnects when it is told to, and loses nothing that was published", async () => {
      const nc = await through();
      let came = 0;
      direct.subscribe("f", { callback: () => void came++ });
      await direct.flush();
      for (let i = 0; i < 1_000; i++) nc.publish("f", "x");
      await nc.reconnect();
      for (let i = 0; i < 1_000; i++) nc.publish("f", "x");
      await reconnected();
      await nc.flush();
      await direct.flush();
      assert.equal(came, 2_000);
      assert.equal(count("forceReconnect"), 1);
    });

    it("waits for the first server, if it may", async () => {
      await proxy.goAway();
      const connecting = through({ waitOnFirstConnect: true, maxReconnectAttempts: 1 });
      await until(() => count("reconnecting") > 3, "some attempts");
      await proxy.listen();
      const nc = await soon(connecting, "the connection");
      await nc.flush();
      assert.equal(nc.stats().reconnects, 0);
    });

    it("goes to another server when one is lost, and knows them", async () => {
      const other = await NetworkProxy.start(server.port);
      const nc = await through({ servers: [proxy.url, other.url], noRandomize: true });
      assert.equal(nc.getServer(), `127.0.0.1:${proxy.port}`);
      await proxy.goAway();
      await reconnected();
      assert.equal(nc.getServer(), `127.0.0.1:${other.port}`);
      const known = nc.getServers();
      assert.deepEqual(
        known.map(({ listen }) => listen),
        [`127.0.0.1:${proxy.port}`, `127.0.0.1:${other.port}`],
      );
      assert.ok(known.every(({ didConnect, gossiped }) => didConnect && !gossiped));
      assert.throws(() => nc.setServers([]), errors.InvalidArgumentError);
      assert.throws(() => nc.setServers(["nats://:x:"]), errors.InvalidArgumentError);
      await proxy.listen();
      nc.setServers([proxy.url]);
      assert.equal(nc.getServer(), `127.0.0.1:${other.port}`);
      await nc.reconnect();
      await reconnected(2);
      assert.equal(nc.getServer(), `127.0.0.1:${proxy.port}`);
      await nc.close();
      await other.close();
    });

    it("asks the user's handler which server to go to, and waits as long as that says", async () => {
      const other = await NetworkProxy.start(server.port);
      const heads: string[] = [];
      let infos = 0;
      const nc = await through({
        servers: [proxy.url, other.url],
        noRandomize: true,
        reconnectToServer: (pool, info) => {
          heads.push(pool[0].listen);
          if (info !== null) infos++;
          return { server: pool.find(({ port }) => port === other.port)!, delay: 5 };
        },
      });
      assert.equal(nc.getServer(), `127.0.0.1:${other.port}`);
      other.cut();
      await reconnected();
      assert.equal(nc.getServer(), `127.0.0.1:${other.port}`);
      assert.deepEqual(heads, [`127.0.0.1:${proxy.port}`, `127.0.0.1:${proxy.port}`]);
      assert.equal(infos, 1);
      await nc.close();
      for (const wrong of [
        () => {
          throw new Error("mine");
        },
        () => ({ ...direct.getServers()[0], listen: "elsewhere:1" }),
      ]) {
        await assert.rejects(through({ reconnectToServer: wrong }), (error: Error) => {
          assert.ok(error instanceof errors.ConnectionError);
          assert.match(
            error.message,
            /reconnectToServer handler failed: (mine|returned server is not in the pool)/,
          );
          return true;
        });
      }
      let asked = 0;
      const events: string[] = [];
      const patient = await through({
        reconnectToServer: ([head]) => (asked++ === 0 ? null : { server: head, delay: 3_600_000 }),
        onStatus: ({ type }) => events.push(type),
      });
      proxy.cut();
      await until(() => asked === 2, "the handler is asked again");
      await direct.flush();
      assert.deepEqual(events, ["reconnecting", "disconnect"]);
      // The wait ends with the connection.
      await patient.close();
      assert.equal(await soon(patient.closed(), "the end"), undefined);
      await other.close();
    });

    it("asks how long to wait before each attempt", async () => {
      let asked = 0;
      const nc = await through({
        reconnectDelayHandler: () => {
          asked++;
          return 5;
        },
      });
      await proxy.goAway();
      await until(() => asked > 4, "it was asked");
      await proxy.listen();
      await reconnected();
      await nc.flush();
    });
  });
}
