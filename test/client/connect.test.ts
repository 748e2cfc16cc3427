/** Making a connection, and what can go wrong with it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { errors } from "@nats-io/nats-core";
import { type ConnectOptions, connect, NatsServer, wsconnect } from "../../src/runtime/node/index.ts";
import { soon } from "../support/waiting.ts";

/** A listener that does with its connections what the test says. */
async function listen(onSocket: (socket: Socket) => void): Promise<{ url: string; close(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const INFO =
  'INFO {"server_id":"N","version":"2.14.0","proto":1,"headers":true,"max_payload":1000,"client_id":1} \r\n';

describe("wsconnect", () => {
  it("knows WebSockets alone, as the official client's", async () => {
    await using server = await NatsServer.start({ websocket: { host: "127.0.0.1", port: 0, noTls: true } });
    const nc = await wsconnect({ servers: server.websocketUrl! });
    await nc.flush();
    assert.equal(nc.getServers()[0].src, server.websocketUrl);
    await nc.close();
    await assert.rejects(wsconnect({ servers: "nats://127.0.0.1" }), /only "ws" and "wss"/);
    await assert.rejects(wsconnect({ servers: "127.0.0.1:1", reconnect: false }), errors.ConnectionError);
  });
});

describe("connect", () => {
  it("goes to the next server when one does not take it", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    const gone = await listen(() => {});
    gone.close();
    const nc = await connect({ servers: [gone.url, server.clientUrl!] });
    assert.equal(nc.getServer(), `127.0.0.1:${server.port}`);
    await nc.close();
    await assert.rejects(connect({ servers: gone.url }), (error: Error) => {
      assert.ok(error instanceof errors.ConnectionError);
      assert.match(error.message, /connection refused/);
      return true;
    });
  });

  it("takes a port for a server on this machine", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    const nc = await connect({ port: server.port });
    await nc.flush();
    await nc.close();
  });

  it("gives up on a server that says nothing", async () => {
    const mute = await listen(() => {});
    await assert.rejects(
      soon(connect({ servers: mute.url, timeout: 50 }), "the time-out"),
      errors.TimeoutError,
    );
    mute.close();
  });

  it("gives up on a server that does not answer", async () => {
    const half = await listen((socket) => socket.write(INFO));
    await assert.rejects(
      soon(connect({ servers: half.url, timeout: 50 }), "the time-out"),
      errors.TimeoutError,
    );
    half.close();
  });

  it("tells why a server refused", async () => {
    const strict = await listen((socket) => {
      socket.write(INFO);
      socket.once("data", () => socket.end("-ERR 'Authorization Violation'\r\n"));
    });
    await assert.rejects(soon(connect({ servers: strict.url }), "the refusal"), errors.AuthorizationError);
    strict.close();
  });

  it("says what it found instead of a NATS server", async () => {
    const web = await listen((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await assert.rejects(soon(connect({ servers: web.url }), "the refusal"), errors.ProtocolError);
    web.close();
  });

  it("sends user, password and token, by the official authenticators", async () => {
    const lines: string[] = [];
    const recorder = await listen((socket) => {
      socket.write(INFO);
      socket.on("data", (bytes) => {
        lines.push(bytes.toString());
        socket.write("PONG\r\n");
      });
    });
    const nc = await connect({ servers: recorder.url, user: "u", pass: "p", name: "n", noEcho: true });
    await nc.close();
    const fields = JSON.parse(/CONNECT (.*)\r\n/.exec(lines.join(""))![1]);
    assert.deepEqual(fields, {
      protocol: 1,
      lang: "typescript",
      version: fields.version,
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      name: "n",
      echo: false,
      user: "u",
      pass: "p",
    });
    recorder.close();
  });

  it("answers the server's pings, and notices when its own are not answered", async () => {
    let pongs = 0;
    let answer = true;
    const server = await listen((socket) => {
      socket.write(INFO);
      socket.on("data", (bytes) => {
        if (/PONG/.test(bytes.toString())) pongs++;
        if (/PING/.test(bytes.toString()) && answer) socket.write("PONG\r\nPING\r\n");
      });
    });
    const nc = await connect({
      servers: server.url,
      pingInterval: 10,
      maxPingOut: 2,
      reconnect: false,
    });
    await nc.flush();
    answer = false;
    const types: string[] = [];
    void (async () => {
      for await (const event of nc.status()) types.push(event.type);
    })();
    const error = await soon(nc.closed(), "the end");
    assert.ok(error instanceof errors.ConnectionError);
    assert.ok(pongs > 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(types.slice(-3), ["staleConnection", "disconnect", "close"]);
    server.close();
  });

  it("ends when the connection is lost, with the error", async () => {
    const server = await listen((socket) => {
      socket.write(INFO);
      socket.on("data", (bytes) => {
        if (/SUB/.test(bytes.toString())) socket.resetAndDestroy();
        else socket.write("PONG\r\n");
      });
    });
    const nc = await connect({ servers: server.url, reconnect: false });
    const subscription = nc.subscribe("x");
    assert.ok((await soon(nc.closed(), "the end")) instanceof Error);
    assert.ok((await soon(subscription.closed, "the end")) instanceof Error);
    server.close();
  });

  const WRONG: [ConnectOptions, RegExp][] = [
    [{ servers: "http://x" }, /scheme "http" is not "nats"/],
    [{ servers: "nats://:x:" }, /cannot be read/],
    [{ servers: "x", port: 4222 }, /mutually exclusive/],
    [{ inProcessServer: {} as never }, /must have a method inProcessConn/],
    [{ inboxPrefix: "a.*" }, /must be a subject without wildcards/],
    [{ inboxPrefix: "a b" }, /must be a subject without wildcards/],
  ];
  for (const [options, says] of WRONG) {
    it(`refuses ${JSON.stringify(options)}`, async () => {
      await assert.rejects(connect(options), (error: Error) => {
        assert.ok(error instanceof errors.InvalidArgumentError, String(error));
        assert.match(error.message, says);
        return true;
      });
    });
  }

  it("uses the inbox prefix that it is given", async () => {
    await using server = await NatsServer.start();
    const nc = await connect({ inProcessServer: server, inboxPrefix: "my.inbox" });
    const replies: string[] = [];
    nc.subscribe("x", {
      callback: (_error, msg) => {
        replies.push(msg.reply!);
        msg.respond();
      },
    });
    await nc.request("x");
    await nc.request("x", "", { noMux: true, timeout: 500 });
    for (const reply of replies) assert.match(reply, /^my\.inbox\.[A-Za-z0-9]{22}(\.|$)/);
    await nc.close();
  });
});
