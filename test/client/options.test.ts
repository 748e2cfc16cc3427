/** What the options of a connection do that shows on the wire, and what it makes of what a server says of itself. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errors, type Status } from "@nats-io/nats-core";
import { connectWith } from "../../src/client/connect.ts";
import { delayOf, poolOf } from "../../src/client/connector.ts";
import { settle as settleOptions } from "../../src/client/options.ts";
import { type ConnectOptions, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { NetworkProxy } from "../support/proxy.ts";
import { SCRIPTED_INFO, scriptedServer } from "../support/scripted-server.ts";
import { simulatedRuntime, VirtualClock } from "../support/simulated.ts";
import { soon, until } from "../support/waiting.ts";

const FAST: ConnectOptions = { reconnectTimeWait: 5, reconnectJitter: 0 };

describe("options of a connection", () => {
  it("have the official client's defaults", () => {
    const runtime = simulatedRuntime();
    const settled = settleOptions({}, runtime);
    assert.deepEqual(
      {
        servers: poolOf(settled, runtime)
          .snapshot()
          .map(({ listen }) => listen),
        timeout: settled.timeout,
        pingInterval: settled.pingInterval,
        maxPingOut: settled.maxPingOut,
        maxReconnectAttempts: settled.maxReconnectAttempts,
        reconnectBufferSize: settled.reconnectBufferSize,
        inboxPrefix: settled.inboxPrefix,
      },
      {
        servers: ["127.0.0.1:4222"],
        timeout: 20_000,
        pingInterval: 120_000,
        maxPingOut: 2,
        maxReconnectAttempts: 10,
        reconnectBufferSize: 8_388_608,
        inboxPrefix: "_INBOX",
      },
    );
    const delays = Array.from({ length: 500 }, delayOf(settled, runtime));
    assert.ok(delays.every((delay) => Number.isInteger(delay) && delay >= 2_000 && delay <= 2_100));
    assert.ok(new Set(delays).size > 50);
    const tls = settleOptions({ tls: {} }, runtime);
    const wider = Array.from({ length: 500 }, delayOf(tls, runtime));
    assert.ok(wider.every((delay) => delay <= 3_000) && wider.some((delay) => delay > 2_500));
  });

  it("are refused by an error that names them", async () => {
    const wrong: [ConnectOptions, RegExp][] = [
      [{ timeout: -1 }, /timeout/],
      [{ pingInterval: -1 }, /pingInterval/],
      [{ maxPingOut: -2 }, /maxPingOut/],
      [{ maxReconnectAttempts: -2 }, /maxReconnectAttempts/],
      [{ reconnectTimeWait: -1 }, /reconnectTimeWait/],
      [{ reconnectJitter: "x" as never }, /reconnectJitter/],
      [{ reconnectJitterTLS: -1 }, /reconnectJitterTLS/],
      [{ reconnectBufferSize: -2 }, /reconnectBufferSize/],
      [{ writeBufferSize: -1 }, /writeBufferSize/],
      [{ reconnectDelayHandler: 5 as never }, /reconnectDelayHandler/],
      [{ reconnectToServer: {} as never }, /reconnectToServer/],
      [{ onStatus: 1 as never }, /onStatus/],
      [{ dial: 1 as never }, /dial/],
      [{ tls: true as never }, /tls/],
      [{ name: 5 as never }, /name/],
      [{ user: 5 as never }, /user/],
      [{ user: "a", pass: 5 as never }, /pass/],
      [{ token: 5 as never }, /token/],
      [{ port: 70_000 }, /port/],
      [{ servers: [5 as never] }, /servers/],
      [{ messagePort: {} as never, dial: () => ({}) as never }, /mutually exclusive/],
    ];
    for (const [options, says] of wrong) {
      await assert.rejects(connect(options), (error: Error) => {
        assert.ok(error instanceof errors.InvalidArgumentError, `${JSON.stringify(options)}: ${error}`);
        assert.match(error.message, says);
        return true;
      });
    }
    const { resolveHost: _, ...rest } = nodeRuntime();
    await assert.rejects(connectWith({ resolve: true }, rest), /resolve.* is not supported/);
    const { dial: __, ...browser } = nodeRuntime();
    await assert.rejects(connectWith({ servers: "nats://x" }, browser), /only "ws" and "wss"/);
  });

  it("go into CONNECT", async () => {
    const server = await scriptedServer();
    const nc = await connect({ servers: server.url, name: "n", verbose: true, pedantic: true, noEcho: true });
    const { version, ...fields } = server.connects[0];
    assert.equal(typeof version, "string");
    assert.deepEqual(fields, {
      protocol: 1,
      lang: "typescript",
      verbose: true,
      pedantic: true,
      headers: true,
      no_responders: true,
      name: "n",
      echo: false,
    });
    server.sockets[0].write("+OK\r\n");
    await nc.flush();
    assert.deepEqual(nc.getServerVersion(), { major: 2, minor: 14, micro: 3 });
    await nc.close();
    assert.equal(nc.info, undefined);
    assert.equal(nc.getServerVersion(), undefined);
    server.close();
  });

  it("are an error when the server cannot do what they ask", async () => {
    const old = await scriptedServer({ proto: 0, headers: false });
    await assert.rejects(connect({ servers: old.url, noEcho: true }), /does not support 'noEcho'/);
    const nc = await connect({ servers: old.url });
    assert.equal(old.connects[0].headers, false);
    assert.throws(() => nc.publish("x", "", { traceOnly: true }), /headers/);
    await nc.close();
    old.close();
  });

  it("show what goes over the wire, with debug", async () => {
    const server = await scriptedServer();
    const lines: string[] = [];
    const runtime = { ...nodeRuntime(), print: (line: string) => void lines.push(line) };
    const nc = await connectWith({ servers: server.url, debug: true }, runtime);
    nc.publish("x", "y");
    await nc.flush();
    await nc.close();
    const said = lines.join("\n");
    assert.match(said, /^> INFO \{.*\} ␍␊$/m);
    assert.match(said, /^< CONNECT \{.*␍␊PING␍␊$/m);
    assert.match(said, /^< PUB x 1␍␊y␍␊PING␍␊$/m);
    assert.match(said, /^> PONG␍␊$/m);
    server.close();
  });

  it("of a request may have it traced", async () => {
    const server = await scriptedServer();
    const nc = await connect({ servers: server.url });
    for (const noMux of [false, true]) {
      await assert.rejects(nc.request("x", "", { traceOnly: true, timeout: 20, noMux }), errors.TimeoutError);
    }
    await nc.flush();
    assert.equal(server.lines.filter((line) => line.startsWith("HPUB x _INBOX.")).length, 2);
    assert.equal(server.lines.filter((line) => line === "Nats-Trace-Only: true").length, 2);
    await nc.close();
    server.close();
  });

  it("may close the connection from the listener of its events, which leaves no timer", async () => {
    const server = await scriptedServer();
    const clock = new VirtualClock();
    const runtime = { ...nodeRuntime(), clock };
    const nc = await connectWith(
      {
        servers: server.url,
        pingInterval: 1_000,
        onStatus: (status) => {
          if (status.type === "ping") void nc.close();
        },
      },
      runtime,
    );
    await clock.advance(1_000);
    assert.ok(nc.isClosed());
    await until(() => clock.pending === 0, "no timer is left");
    server.close();
  });

  it("say in an error where the request was made, when they are told to", async () => {
    await using server = await NatsServer.start();
    for (const noAsyncTraces of [undefined, true, false]) {
      const nc = await connect({ inProcessServer: server, noAsyncTraces });
      const askSomebody = (): Promise<unknown> => nc.request("nobody");
      await assert.rejects(
        askSomebody(),
        (error: Error) => /askSomebody/.test(error.stack ?? "") === (noAsyncTraces === false),
      );
      await nc.close();
    }
  });

  it("look a name up, or leave that to the system", async () => {
    const server = await scriptedServer();
    const asked: string[] = [];
    const dialled: string[] = [];
    const runtime = nodeRuntime();
    const watched = {
      ...runtime,
      dial: (host: string, port: number) => {
        dialled.push(host);
        return runtime.dial!(host, port);
      },
      resolveHost: async (hostname: string) => {
        asked.push(hostname);
        return ["127.0.0.9", "127.0.0.1"];
      },
    };
    const servers = `localhost:${server.port}`;
    const nc = await connectWith({ servers, noRandomize: true }, watched);
    assert.deepEqual([asked, dialled], [["localhost"], ["127.0.0.9", "127.0.0.1"]]);
    await nc.close();
    const plain = await connectWith({ servers, resolve: false }, watched);
    assert.deepEqual([asked.length, dialled[2]], [1, "localhost"]);
    await plain.close();
    await assert.rejects(
      connectWith({ servers: "nowhere.invalid" }, { ...watched, resolveHost: async () => [] }),
      errors.ConnectionError,
    );
    const never = { ...watched, resolveHost: () => new Promise<string[]>(() => {}) };
    await assert.rejects(
      connectWith({ servers: "nowhere.invalid", timeout: 20 }, never),
      errors.TimeoutError,
    );
    server.close();
  });
});

describe("what a server says of itself", () => {
  const info = (facts: Record<string, unknown>): string =>
    `INFO ${JSON.stringify({ ...SCRIPTED_INFO, ...facts })}\r\n`;

  it("brings servers into the pool, and out of it again", async () => {
    const server = await scriptedServer({ connect_urls: ["127.0.0.1:1", "127.0.0.1:2"] });
    const events: Status[] = [];
    const options = {
      servers: `u:p@127.0.0.1:${server.port}`,
      onStatus: (status: Status) => void events.push(status),
    };
    const nc = await connect(options);
    const listens = (): string[] =>
      nc
        .getServers()
        .map(({ listen }) => listen)
        .sort();
    const here = `127.0.0.1:${server.port}`;
    assert.deepEqual(listens(), ["127.0.0.1:1", "127.0.0.1:2", here].sort());
    assert.equal(nc.getServers().filter(({ gossiped }) => gossiped).length, 2);
    server.sockets[0].write(info({ connect_urls: ["127.0.0.1:2", "[::1]:3", ":::"] }));
    server.sockets[0].write(info({ connect_urls: ["127.0.0.1:2", "[::1]:3"] }));
    await nc.flush();
    assert.deepEqual(listens(), ["127.0.0.1:2", "[::1]:3", here].sort());
    const updates = events.filter((event) => event.type === "update");
    assert.deepEqual(
      updates.map(({ added, deleted }) => [added?.slice().sort(), deleted]),
      [
        [["127.0.0.1:1", "127.0.0.1:2"], []],
        [["[::1]:3"], ["127.0.0.1:1"]],
      ],
    );
    await nc.close();
    const deaf = await connect({ ...options, ignoreClusterUpdates: true });
    assert.deepEqual(
      deaf.getServers().map(({ listen }) => listen),
      [here],
    );
    await deaf.close();
    server.close();
  });

  it("is where the client goes next", async () => {
    const second = await scriptedServer();
    const first = await scriptedServer({ connect_urls: [`127.0.0.1:${second.port}`] });
    const nc = await connect({ servers: `nats://u:p@127.0.0.1:${first.port}`, ...FAST });
    nc.subscribe("kept", { callback: () => {} });
    await nc.flush();
    first.close();
    await until(() => nc.stats().reconnects === 1, "it is at the other");
    assert.equal(nc.getServer(), `127.0.0.1:${second.port}`);
    assert.equal(second.connects[0].user, "u");
    await nc.flush();
    assert.ok(second.lines.includes("SUB kept 1"));
    await nc.close();
    second.close();
  });

  it("may be that it is about to go", async () => {
    const server = await scriptedServer();
    const nc = await connect({ servers: server.url });
    const statuses = nc.status()[Symbol.asyncIterator]();
    const event = statuses.next();
    server.sockets[0].write(info({ ldm: true }));
    assert.deepEqual((await soon(event, "the event")).value, {
      type: "ldm",
      server: `127.0.0.1:${server.port}`,
    });
    await nc.close();
    server.close();
  });

  it("may be smaller than what waits for it: that is dropped, and told", async () => {
    const large = await scriptedServer({ max_payload: 1_000 });
    const small = await scriptedServer({ max_payload: 10, headers: false });
    const events: Status[] = [];
    const nc = await connect({
      servers: [large.url, small.url],
      noRandomize: true,
      ...FAST,
      onStatus: (status) => {
        events.push(status);
        if (status.type !== "disconnect") return;
        // At once: the other server is not long in coming.
        nc.publish("x", "01234567890123456789");
        nc.publish("x", "small", { traceDestination: "t" });
        nc.publish("x", "fits");
      },
    });
    large.close();
    await until(() => nc.stats().reconnects === 1, "it is at the other");
    await nc.flush();
    assert.deepEqual(
      small.lines.filter((line) => /PUB|^\d|small|fits/.test(line)),
      ["PUB x 4", "fits"],
    );
    assert.equal(events.filter(({ type }) => type === "error").length, 2);
    assert.equal(nc.stats().outMsgs, 1);
    await nc.close();
    small.close();
  });
});

describe("ways that are not over the network", () => {
  it("come back by a new port, if there is a function that gives one", async () => {
    await using server = await NatsServer.start();
    let ports = 0;
    let last: { close(): void } | undefined;
    const nc = await connect({
      messagePort: () => {
        ports++;
        const port = server.messagePort();
        last = port;
        return port;
      },
      ...FAST,
    });
    assert.equal(nc.getServer(), "message-port");
    last?.close();
    await until(() => nc.stats().reconnects === 1, "it is back");
    await nc.flush();
    assert.equal(ports, 2);
    await nc.reconnect();
    await until(() => nc.stats().reconnects === 2, "it is back");
    assert.throws(() => nc.setServers(["x"]), errors.InvalidOperationError);
    await nc.close();
    const single = await connect({ messagePort: server.messagePort() });
    await single.reconnect();
    assert.ok(single.isClosed());
  });

  it("come back in process, with all subscriptions, and end with the server", async () => {
    const server = await NatsServer.start();
    const nc = await connect({ inProcessServer: server, ...FAST });
    const got: string[] = [];
    nc.subscribe("x", { callback: (_error, msg) => void got.push(msg.string()) });
    nc.publish("x", "1");
    await nc.flush();
    nc.publish("x", "2");
    const facts = (): unknown[] => [
      nc.getServer(),
      ...nc.getServers().map(({ listen, didConnect }) => [listen, didConnect]),
    ];
    assert.deepEqual(facts(), ["in-process", ["in-process", true]]);
    await nc.reconnect();
    nc.publish("x", "3");
    await nc.flush();
    assert.deepEqual(facts(), ["in-process", ["in-process", true]]);
    assert.deepEqual(got, ["1", "2", "3"]);
    assert.equal(nc.stats().reconnects, 1);
    await server.close();
    assert.ok((await soon(nc.closed(), "the end")) instanceof errors.ConnectionError);
  });

  it("must be streams, if the user opens them", async () => {
    await assert.rejects(connect({ dial: () => ({}) as never }), /option dial must give/);
    await assert.rejects(
      connect({
        dial: () => {
          throw new Error("no tunnel");
        },
      }),
      /no tunnel/,
    );
  });

  it("leave nothing open when an attempt is given up", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    const proxy = await NetworkProxy.start(server.port!);
    proxy.stick();
    await assert.rejects(connect({ servers: proxy.url, timeout: 30 }), errors.TimeoutError);
    proxy.unstick();
    await until(() => proxy.open === 0, "the connection is gone");
    await proxy.close();
  });
});
