import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { errors } from "@nats-io/nats-core";
import { type ConnectOptions, connect } from "../../src/runtime/node/index.ts";
import type { StreamPair } from "../../src/seams/dial.ts";
import type { StartConfigured } from "./configured-server.ts";
import { connectionSuite, OURS } from "./connection-suite.ts";
import { NetworkProxy } from "./proxy.ts";
import { freePort } from "./real-server.ts";
import { certificate, identity, pem, tlsFile } from "./tls-files.ts";

const { certFile, keyFile } = certificate("server");
const FILES = `cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${tlsFile("ca.pem")}"`;
const TLS = `tls { ${FILES}, timeout: 5 }`;
const VERIFIED = `tls { ${FILES}, timeout: 5, verify: true }`;
const FIRST = `tls { ${FILES}, timeout: 5, handshake_first: true }`;
const CA = { ca: pem("ca.pem") };

/** The suite of connections over all transports that are bytes on sockets. */
export function transportSuites(name: string, start: StartConfigured): void {
  const suite = (
    transport: string,
    config: (port: number) => string,
    options: (port: number, other: number) => ConnectOptions,
  ): void =>
    connectionSuite(`our client over ${transport} with ${name}`, OURS, async () => {
      const other = await freePort();
      const server = await start(config(other));
      return {
        connect: (more) => connect({ ...more, ...options(server.port, other) }),
        close: () => server.close(),
      };
    });

  suite(
    "TLS",
    () => TLS,
    (port) => ({ servers: `nats://127.0.0.1:${port}`, tls: CA }),
  );
  suite(
    "TLS first",
    () => FIRST,
    (port) => ({
      servers: `nats://localhost:${port}`,
      tls: { ...CA, handshakeFirst: true },
    }),
  );
  suite(
    "a WebSocket",
    (port) => `websocket { host: "127.0.0.1", port: ${port}, no_tls: true }`,
    (_, port) => ({ servers: `ws://127.0.0.1:${port}` }),
  );
  suite(
    "a WebSocket with TLS",
    (port) => `websocket { host: "127.0.0.1", port: ${port}, ${TLS} }`,
    (_, port) => ({ servers: `wss://127.0.0.1:${port}`, tls: CA }),
  );
  suite(
    "streams of Node",
    () => "",
    (port) => ({
      servers: `127.0.0.1:${port}`,
      dial: (server) => connectSocket({ host: server.hostname, port: server.port, noDelay: true }),
    }),
  );
  suite(
    "web streams",
    () => "",
    (port) => ({ servers: `127.0.0.1:${port}`, dial: webStreams }),
  );

  connectionSuite(`our client over TCP in pieces with ${name}`, OURS, async () => {
    const server = await start("");
    const proxy = await NetworkProxy.start(server.port);
    let piece = 1;
    return {
      // Few bytes at a time while the messages are short; large ones would take for ever.
      connect: (options) => {
        proxy.piece = 499 + piece++;
        return connect({ ...options, servers: proxy.url });
      },
      close: async () => {
        await proxy.close();
        await server.close();
      },
    };
  });

  describe(`TLS of our client with ${name}`, () => {
    it("shows its certificate, from texts or files", async () => {
      const server = await start(VERIFIED);
      const servers = `127.0.0.1:${server.port}`;
      for (const tls of [
        { ...CA, ...identity("client") },
        { caFile: tlsFile("ca.pem"), certFile: tlsFile("client.pem"), keyFile: tlsFile("client-key.pem") },
      ]) {
        const nc = await connect({ servers, tls });
        assert.equal(nc.info?.tls_required, true);
        await nc.close();
      }
      await assert.rejects(connect({ servers, tls: CA, timeout: 2_000 }));
      await assert.rejects(connect({ servers, tls: { ...CA, certFile: "/nowhere" } }), /doesn't exist/);
      await server.close();
    });

    it("trusts only whom it may, and takes a name for a server known by its address", async () => {
      const server = await start(TLS);
      const servers = `127.0.0.1:${server.port}`;
      await assert.rejects(connect({ servers }), errors.ConnectionError);
      await assert.rejects(connect({ servers, tls: { ca: pem("other-ca.pem") } }), errors.ConnectionError);
      await assert.rejects(connect({ servers, tls: { ...CA, servername: "nats.example" } }), /altnames/);
      await assert.rejects(connect({ servers, tls: null }), /requires 'tls'/);
      for (const given of [
        { servers, tls: { ...CA, servername: "localhost" } },
        { servers: `tls://localhost:${server.port}`, tls: CA },
        { servers, tls: { rejectUnauthorized: false } },
      ]) {
        const nc = await connect(given);
        await nc.flush();
        await nc.close();
      }
      await server.close();
    });

    it("wants TLS when told to, and does without when it may", async () => {
      const plain = await start("");
      for (const given of [
        { servers: `127.0.0.1:${plain.port}`, tls: {} },
        { servers: `tls://127.0.0.1:${plain.port}` },
      ])
        await assert.rejects(connect(given), /server does not support 'tls'/);
      await plain.close();
      const both = await start(`allow_non_tls: true\n${TLS}`);
      const servers = `127.0.0.1:${both.port}`;
      const open = await connect({ servers, tls: null });
      await open.flush();
      const secured = await connect({ servers, tls: CA });
      assert.equal(secured.info?.tls_available, true);
      await open.close();
      await secured.close();
      await both.close();
    });

    it("comes back over TLS and over WebSockets", async () => {
      const port = await freePort();
      const server = await start(`${TLS}\nwebsocket { host: "127.0.0.1", port: ${port}, ${TLS} }`);
      const proxies = [await NetworkProxy.start(server.port), await NetworkProxy.start(port)];
      const urls = [proxies[0].url, proxies[1].url.replace("nats:", "wss:")];
      for (const [i, proxy] of proxies.entries()) {
        const nc = await connect({ servers: urls[i], tls: CA, reconnectTimeWait: 5, reconnectJitterTLS: 0 });
        const came = nc.subscribe("x", { max: 2 });
        nc.publish("x", "1");
        await nc.flush();
        proxy.cut();
        for await (const event of nc.status()) if (event.type === "reconnect") break;
        nc.publish("x", "2");
        const got: string[] = [];
        for await (const msg of came) got.push(msg.string());
        assert.deepEqual(got, ["1", "2"]);
        await nc.close();
        await proxy.close();
      }
      await server.close();
    });
  });
}

async function webStreams({ hostname, port }: { hostname: string; port: number }): Promise<StreamPair> {
  const socket = connectSocket({ host: hostname, port, noDelay: true });
  await once(socket, "connect");
  return Duplex.toWeb(socket) as unknown as StreamPair;
}
