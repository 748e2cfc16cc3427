/** Clients that shut their writing side and read on, and clients whose other end has vanished without a word. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { halfOpenSuite } from "../support/half-open-suite.ts";
import { RawClient } from "../support/raw-client.ts";
import { certificate } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";
import { RawWebsocket } from "../support/websocket-client.ts";

for (const tls of [false, true]) {
  halfOpenSuite(
    `the embedded server${tls ? ", with TLS" : ""}`,
    async () => {
      const server = await NatsServer.start({
        listen: { port: 0 },
        tls: tls ? certificate("server") : undefined,
      });
      return { port: server.port!, close: () => server.close() };
    },
    { tls },
  );
}

/** The sockets of this process. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
}

const PLAIN = 'CONNECT {"verbose":false}\r\n';

describe("half-open sockets: the other end has vanished", () => {
  /** A client that has a subscription, and from then on neither reads nor writes: what a server sees of one whose cable is cut. */
  const clients: Readonly<Record<string, (server: NatsServer) => Promise<{ close(): void }>>> = {
    "over TCP": async (server) => {
      const raw = await RawClient.open(server.port!);
      await raw.ask(`${PLAIN}SUB gone 1\r\nPING\r\n`);
      raw.socket.pause();
      return raw;
    },
    "over WebSocket": async (server) => {
      const raw = await RawWebsocket.open(server.websocketUrl!);
      await raw.ask(`${PLAIN}SUB gone 1\r\nPING\r\n`);
      raw.socket.pause();
      return raw;
    },
    "before CONNECT": async (server) => {
      const raw = await RawClient.open(server.port!);
      raw.socket.pause();
      return raw;
    },
  };

  for (const [name, vanish] of Object.entries(clients)) {
    it(`${name}: pings find it out, and nothing of it is left`, async () => {
      const before = sockets();
      await using server = await NatsServer.start({
        listen: { port: 0 },
        websocket: { port: 0, noTls: true },
        pingInterval: 250,
        pingMax: 2,
        http: { port: 0 },
      });
      const witness: Connection = await connect({ inProcessServer: server });
      const all = await Promise.all(Array.from({ length: 20 }, () => vanish(server)));
      await until(() => {
        // What is on its way to them does not hide that they are gone.
        witness.publish("gone", new Uint8Array(1_000));
        return server.stats().connections === 1;
      }, "all of them have been found out");
      assert.equal(server.stats().subscriptions, 0);
      // Their sockets go, too, although nobody answers there: what is left are those of the clients.
      await until(() => sockets() <= before + all.length, "the server has let go of its sockets");
      const closed = await fetch(`${server.monitorUrl}/connz?state=closed`);
      const { connections } = (await closed.json()) as { connections: { reason: string }[] };
      assert.deepEqual(new Set(connections.map(({ reason }) => reason)), new Set(["Stale Connection"]));
      for (const each of all) each.close();
      await witness.close();
    });
  }
});
