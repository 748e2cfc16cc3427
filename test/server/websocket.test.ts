/** The WebSocket listener, once a connection is upgraded: frames, cookies, proxies, close codes, TLS, pings. */
import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";
import { connect, NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import { RawClient } from "../support/raw-client.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { certificate, identity, pem, tlsFile } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";
import { RawWebsocket } from "../support/websocket-client.ts";

const CONNECT = 'CONNECT {"verbose":false}\r\n';
const PING = "PING\r\n";

function start(websocket: ServerOptions["websocket"] = {}, options: ServerOptions = {}): Promise<NatsServer> {
  return NatsServer.start({ ...options, websocket: { port: 0, noTls: true, ...websocket } });
}

describe("WebSocket", () => {
  it("says in INFO where its listener is, and in the log", async () => {
    const logger = new RecordingLogger();
    await using server = await start({}, { listen: { port: 0 }, logger });
    const client = new RawWebsocket(server.websocketUrl!);
    const info = JSON.parse((await client.take(/^INFO .*\r\n/)).slice(5));
    assert.equal(`ws://${info.host}:${info.port}`, server.websocketUrl);
    assert.notEqual(info.port, server.port);
    assert.equal(info.tls_required, undefined);
    assert.equal(info.client_ip, "127.0.0.1");
    client.close();
    const at = logger.levels.indexOf(`notice: Listening for websocket clients on ${server.websocketUrl}`);
    assert.equal(logger.levels[at + 1], "warn: Websocket not configured with TLS. DO NOT USE IN PRODUCTION!");
    assert.match(logger.levels[at + 2], /^notice: Listening for client connections on /);
  });

  it("is one stream of bytes, whatever messages they come in", async () => {
    await using server = await start();
    const client = await RawWebsocket.open(server.websocketUrl!);
    for (const piece of ["CONN", 'ECT {"verbose":fa', "lse}\r", "\nSUB a 1\r\nPUB a 5\r\nhe", "llo\r\nPI"]) {
      client.socket.send(piece);
    }
    client.socket.send(Buffer.from("NG"));
    client.socket.send(Buffer.alloc(0));
    client.socket.send(Buffer.from("\r\n"), { fin: true });
    assert.equal(await client.take(/PONG\r\n/), "MSG a 1 5\r\nhello\r\nPONG\r\n");
    client.socket.send("PI", { fin: false });
    client.socket.send("NG\r\n", { fin: true });
    await client.take(/PONG\r\n/);
    client.close();
  });

  it("answers pings of the WebSocket", async () => {
    await using server = await start();
    const client = await RawWebsocket.open(server.websocketUrl!);
    let answer = "";
    client.socket.on("pong", (bytes) => {
      answer = String(bytes);
    });
    client.socket.ping("you");
    await until(() => answer === "you", "the pong has come");
    client.close();
  });

  it("sends browsers small frames, and others large ones", async () => {
    await using server = await start();
    const payload = "x".repeat(20_000);
    const publish = `${CONNECT}SUB a 1\r\nPUB a ${payload.length}\r\n${payload}\r\n${PING}`;
    const browser = await RawWebsocket.open(server.websocketUrl!, {
      headers: { "User-Agent": "Mozilla/5.0" },
    });
    assert.equal(await browser.ask(publish), `MSG a 1 ${payload.length}\r\n${payload}\r\nPONG\r\n`);
    assert.equal(Math.max(...browser.sizes), 4_096);
    const other = await RawWebsocket.open(server.websocketUrl!);
    assert.equal(await other.ask(publish), `MSG a 1 ${payload.length}\r\n${payload}\r\nPONG\r\n`);
    assert.ok(Math.max(...other.sizes) > 10_000);
    browser.close();
    other.close();
  });

  it("carries more than a socket holds, in order, to a client that reads slowly", async () => {
    for (const compression of [false, true]) {
      await using server = await start({ compression });
      const client = await RawWebsocket.open(server.websocketUrl!);
      await client.ask(`${CONNECT}SUB a 1\r\n${PING}`);
      client.socket.pause();
      const publisher = await connect({ inProcessServer: server });
      const payload = Buffer.alloc(100_000);
      const wanted: string[] = [];
      for (let i = 0; i < 200; i++) {
        payload.fill(i);
        publisher.publish("a", payload);
        wanted.push(`MSG a 1 100000\r\n${payload.toString("latin1")}\r\n`);
      }
      client.socket.resume();
      await publisher.flush();
      const all = wanted.join("");
      await until(() => client.received.length >= all.length, "all has come");
      assert.ok(client.received === all);
      client.close();
      await publisher.close();
    }
  });

  it("takes compressed messages, and sends them from 65 bytes on", async () => {
    await using server = await start({ compression: true });
    const client = await RawWebsocket.open(server.websocketUrl!);
    const payload = "abc".repeat(1_000);
    client.socket.send(`${CONNECT}SUB a 1\r\nPUB a ${payload.length}\r\n${payload}\r\n${PING}`, {
      compress: true,
    });
    assert.equal(await client.take(/PONG\r\n/), `MSG a 1 ${payload.length}\r\n${payload}\r\nPONG\r\n`);
    assert.match(client.socket.extensions, /permessage-deflate/);
    client.close();
  });

  it("closes with a code that tells why", async () => {
    await using server = await start({ compression: true }, { maxPayload: 1_000, maxControlLine: 100 });
    const url = server.websocketUrl!;
    const cases: readonly [sends: string, end: RegExp][] = [
      ["HELLO\r\n", /^1002 Protocol Violation$/],
      [`PUB a ${2_000}\r\n`, /^1009 Maximum Message Payload Exceeded$/],
      [`SUB ${"x".repeat(200)} 1\r\n`, /^1008 Maximum Control Line Exceeded$/],
    ];
    for (const [sends, end] of cases) {
      const client = await RawWebsocket.open(url);
      client.socket.send(sends);
      assert.match(await client.end(), end);
    }
    const large = await RawWebsocket.open(url);
    large.socket.send("x".repeat(8_001), { compress: true });
    assert.match(await large.end(), /^1009 /);
    const leaving = await RawWebsocket.open(url);
    await server.close();
    assert.match(await leaving.end(), /^1001 Server Shutdown$/);
  });

  it("refuses frames without a mask", async () => {
    await using server = await start();
    const raw = await RawClient.openUngreeted(Number(new URL(server.websocketUrl!).port));
    raw.send(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await raw.take(/INFO .*\r\n/);
    raw.send("\x82\x06PING\r\n");
    assert.match(await raw.end(), /^\x88.\x03\xea/s);
  });

  it("takes from cookies what CONNECT leaves out", async () => {
    const authorization = { user: "joe", password: "secret" };
    await using server = await start({ userCookie: "who", passCookie: "word" }, { authorization });
    const url = server.websocketUrl!;
    const open = (cookie: string): Promise<RawWebsocket> =>
      RawWebsocket.open(url, { headers: { Cookie: cookie } });
    const known = await open('other=1; who=joe; word="secret"');
    assert.equal(await known.ask(`${CONNECT}${PING}`), "PONG\r\n");
    known.close();
    const overruled = await open("who=joe; word=secret");
    overruled.socket.send('CONNECT {"verbose":false,"user":"eve"}\r\nPING\r\n');
    assert.match(await overruled.end(), /^1008 Authentication Failure$/);
    const unknown = await open("who=joe; word=wrong");
    unknown.socket.send(`${CONNECT}${PING}`);
    await unknown.take(/-ERR 'Authorization Violation'\r\n/);
    assert.match(await unknown.end(), /^1008 Authentication Failure$/);
  });

  it("has a token of its own, which INFO says is asked for", async () => {
    await using server = await start(
      { tokenCookie: "t", authorization: { token: "xyz" } },
      { listen: { port: 0 } },
    );
    const client = new RawWebsocket(server.websocketUrl!, { headers: { Cookie: "t=xyz" } });
    assert.match(await client.take(/^INFO .*\r\n/), /"auth_required":true/);
    assert.equal(await client.ask(`${CONNECT}${PING}`), "PONG\r\n");
    client.close();
    const plain = await RawClient.openUngreeted(server.port!);
    assert.doesNotMatch(await plain.take(/^INFO .*\r\n/), /auth_required/);
    assert.equal(await plain.ask(`${CONNECT}${PING}`), "PONG\r\n");
    plain.close();
  });

  it("names clients in the log by wid, and by the address that a proxy tells", async () => {
    const logger = new RecordingLogger();
    await using server = await start({}, { logger, debug: true });
    for (const [header, label] of [
      ["192.0.2.7", /^192\.0\.2\.7\/127\.0\.0\.1:\d+ - wid:1 - Client connection created$/],
      ["2001:db8::1", /^\[2001:db8::1\]\/127\.0\.0\.1:\d+ - wid:2 - Client connection created$/],
      ["192.0.2.7, 10.0.0.1", /^127\.0\.0\.1:\d+ - wid:3 - Client connection created$/],
    ] as const) {
      const client = await RawWebsocket.open(server.websocketUrl!, {
        headers: { "X-Forwarded-For": header },
      });
      assert.ok(
        logger.lines.some((line) => label.test(line)),
        `${label} is not among ${logger.lines.join("\n")}`,
      );
      client.close();
    }
  });

  it("logs why a request is refused", async () => {
    const logger = new RecordingLogger();
    await using server = await start({ sameOrigin: true }, { logger });
    const client = new RawWebsocket(server.websocketUrl!, { headers: { Origin: "http://elsewhere" } });
    await client.end();
    assert.match(
      logger.levels.find((line) => line.startsWith("error")) ?? "",
      /^error: 127\.0\.0\.1:\d+ - websocket handshake error: origin not allowed: not same origin$/,
    );
  });

  it("speaks TLS, and checks certificates", async () => {
    const logger = new RecordingLogger();
    const tls = { ...certificate("server"), caFile: tlsFile("ca.pem"), verify: true };
    await using server = await start({ noTls: false, tls }, { logger });
    assert.match(server.websocketUrl!, /^wss:/);
    const ca = pem("ca.pem");
    const client = new RawWebsocket(server.websocketUrl!, { ca, ...identity("client") });
    assert.match(await client.take(/^INFO .*\r\n/), /"tls_required":true,"tls_available":true/);
    assert.equal(await client.ask(`${CONNECT}${PING}`), "PONG\r\n");
    client.close();
    const stranger = new RawWebsocket(server.websocketUrl!, { ca, ...identity("stranger") });
    assert.match(await stranger.end(), /^1006/);
    const line =
      /^websocket: http: TLS handshake error from 127\.0\.0\.1:\d+: tls: failed to verify certificate/;
    await until(() => logger.lines.some((each) => line.test(each)), "the log tells of it");
  });

  it("gives up on who takes too long to ask", async () => {
    for (const tls of [undefined, certificate("server")]) {
      await using server = await start({ noTls: tls === undefined, tls, handshakeTimeout: 50 });
      const client = await RawClient.openUngreeted(Number(new URL(server.websocketUrl!).port));
      if (tls === undefined) client.send("GET / HTTP/1.1\r\nHost: a\r\n");
      assert.equal(await client.end(), "");
    }
  });

  it("pings at its own interval", async () => {
    await using server = await start({ pingInterval: 30 });
    const client = await RawWebsocket.open(server.websocketUrl!);
    await client.take(/PING\r\n/);
    client.close();
  });

  it("ends with the server, also what has not been upgraded", async () => {
    const server = await start();
    const port = Number(new URL(server.websocketUrl!).port);
    const idle = await RawClient.openUngreeted(port);
    await RawWebsocket.open(server.websocketUrl!).then((client) => server.close().then(() => client.end()));
    await idle.end();
    await assert.rejects(
      new Promise((resolve, reject) => {
        connectSocket({ port, host: "127.0.0.1" }).once("connect", resolve).once("error", reject);
      }),
      /ECONNREFUSED/,
    );
  });
});
