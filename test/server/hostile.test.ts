/** Peers that are broken or mean, on real sockets: they get the right error or are cut off, and nobody else notices. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/waiting.ts";

const PLAIN = 'CONNECT {"verbose":false,"pedantic":false}\r\n';

describe("hostile peers", () => {
  let server: NatsServer;
  let witness: Connection;
  let echoes = 0;

  beforeEach(async () => {
    server = await NatsServer.start({ listen: { port: 0 }, maxPending: 4 * 1024 * 1024 });
    witness = await connect({ servers: server.clientUrl });
    echoes = 0;
    witness.subscribe("echo", { callback: (_error, msg) => void msg.respond(`${++echoes}`) });
    await witness.flush();
  });

  afterEach(async () => {
    await witness.close();
    await server.close();
  });

  /** The others notice nothing. */
  async function allIsWell(): Promise<void> {
    assert.equal((await witness.request("echo")).string(), String(echoes));
    const fresh = await RawClient.open(server.port!);
    assert.equal(await fresh.ask(`${PLAIN}PING\r\n`), "PONG\r\n");
    fresh.close();
  }

  it("random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        const raw = await RawClient.open(server.port!);
        raw.send(Buffer.from(bytes).toString("latin1"));
        raw.send("\r\nXX\r\n");
        const ending = raw.end();
        await Promise.race([ending, raw.take(/PONG|\+OK|INFO/)]).catch(() => {});
        raw.close();
      }),
      { numRuns: 100 },
    );
    await allIsWell();
  });

  it("a verb that never ends", async () => {
    const raw = await RawClient.open(server.port!);
    raw.send("a".repeat(100_000));
    assert.equal(await raw.end(), "-ERR 'Unknown Protocol Operation'\r\n");
    await allIsWell();
  });

  it("an argument that never ends", async () => {
    const raw = await RawClient.open(server.port!);
    raw.send(`SUB ${"a".repeat(100_000)}`);
    assert.equal(await raw.end(), "-ERR 'maximum control line exceeded'\r\n");
    await allIsWell();
  });

  it("spaces and pings without end take no memory", async () => {
    const raw = await RawClient.open(server.port!);
    const before = process.memoryUsage().arrayBuffers;
    for (const start of ["SUB ", "PING "]) {
      raw.send(start);
      for (let i = 0; i < 200; i++) raw.send(" ".repeat(64 * 1024));
      if (start === "SUB ") raw.send("foo 1\r\n");
    }
    await until(() => raw.socket.writableLength === 0, "all is sent");
    assert.match(await raw.ask("\r\nPING\r\n"), /PONG\r\n$/);
    assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 1024 * 1024);
    raw.close();
    await allIsWell();
  });

  it("sizes that nothing follows take no memory", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const raws = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(server.port!)));
    for (const raw of raws) raw.send(`${PLAIN}PUB x 1048576\r\nabc`);
    await allIsWell();
    assert.ok(process.memoryUsage().arrayBuffers - before < 50 * 1024 * 1024);
    for (const raw of raws) raw.close();
  });

  it("connections that come and go, in the middle of things", async () => {
    for (let i = 0; i < 200; i++) {
      const socket = connectSocket({ port: server.port!, host: "127.0.0.1" });
      await once(socket, "connect");
      if (i % 3 === 0) socket.write("CONNECT {}\r\nSUB > 1\r\nPUB echo 100\r\nxx");
      if (i % 3 === 1) socket.resetAndDestroy();
      else socket.destroy();
    }
    await until(() => server.stats().connections === 1, "all of them have gone");
    assert.equal(server.stats().subscriptions, 1);
    await allIsWell();
  });

  it("a subscriber that never reads is cut off, and does not slow the others down for ever", async () => {
    const raw = await RawClient.open(server.port!);
    await raw.ask(`${PLAIN}SUB flood 1\r\nPING\r\n`);
    raw.socket.pause();
    const publisher = await connect({ servers: server.clientUrl });
    let got = 0;
    witness.subscribe("flood", { callback: () => void got++ });
    await witness.flush();
    const payload = new Uint8Array(64 * 1024);
    let sent = 0;
    while (server.stats().slowConsumers === 0) {
      for (let i = 0; i < 16; i++, sent++) publisher.publish("flood", payload);
      await publisher.flush();
    }
    await publisher.flush();
    await witness.flush();
    assert.equal(got, sent);
    assert.equal(server.stats().connections, 2);
    raw.socket.resume();
    await raw.end();
    await publisher.close();
    await allIsWell();
  });

  it("a flood of connections that say nothing", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = connectSocket({ port: server.port!, host: "127.0.0.1" });
        socket.on("error", () => {});
        await once(socket, "connect");
        return socket;
      }),
    );
    await allIsWell();
    for (const socket of sockets) socket.destroy();
    await until(() => server.stats().connections === 1, "all of them have gone");
  });
});
