/** NATS in a real browser: a page that speaks the protocol over its own WebSocket, and one with the official client. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { connect, NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import { openBrowser } from "../support/browser.ts";

/** The official client for browsers, as a script that leaves it in `nats`. */
async function officialClient(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: 'export { wsconnect } from "@nats-io/nats-core";', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: "iife",
    globalName: "nats",
    platform: "browser",
  });
  return outputFiles[0].text;
}

describe("a page in a browser", () => {
  let browser: Browser;
  let pages: Server;
  let origin: string;

  before(async () => {
    browser = await openBrowser();
    const script = await officialClient();
    pages = createServer((request, response) => {
      const isScript = request.url === "/nats.js";
      response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
      // A cookie that the server is told to take a user's token from: browsers send it for any port of the host.
      response.setHeader("Set-Cookie", "token=xyz");
      response.end(isScript ? script : '<!doctype html><title>NATS</title><script src="/nats.js"></script>');
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  });

  after(async () => {
    await browser?.close();
    pages?.close();
  });

  async function withPage(
    websocket: ServerOptions["websocket"],
    use: (page: Page, server: NatsServer) => Promise<void>,
  ): Promise<void> {
    await using server = await NatsServer.start({ websocket: { port: 0, noTls: true, ...websocket } });
    const page = await browser.newPage();
    try {
      await page.goto(origin);
      await use(page, server);
    } finally {
      await page.close();
    }
  }

  for (const compression of [false, true]) {
    it(`speaks the protocol over its WebSocket, ${compression ? "compressed" : "as it is"}`, () =>
      withPage({ compression }, async (page, server) => {
        const { received, extensions, frame } = await page.evaluate(speak, server.websocketUrl!);
        const payload = "x".repeat(50_000);
        assert.match(received, /^INFO \{.*\} \r\n/);
        const rest = received.slice(received.indexOf("\r\n") + 2);
        assert.ok(rest === `MSG a 1 5\r\nhello\r\nMSG a 1 ${payload.length}\r\n${payload}\r\nPONG\r\n`);
        assert.equal(extensions.includes("permessage-deflate"), compression);
        if (!compression) assert.equal(frame, 4_096);
      }));
  }

  it("talks to clients in this process by the official client, both ways", () =>
    withPage({}, async (page, server) => {
      await using client = await connect({ inProcessServer: server });
      client.subscribe("greet", { callback: (_error, msg) => void msg.respond(`hello ${msg.string()}`) });
      await client.flush();
      assert.equal(await page.evaluate(requestGreeting, server.websocketUrl!), "hello page");
    }));

  it("is let in by its cookie and its origin, and another page is not", () =>
    withPage(
      { allowedOrigins: [origin], authorization: { token: "xyz" }, tokenCookie: "token" },
      async (page, server) => {
        const { received } = await page.evaluate(speak, server.websocketUrl!);
        assert.match(received, /PONG\r\n$/);
        await page.goto(origin.replace("127.0.0.1", "localhost"));
        await assert.rejects(page.evaluate(speak, server.websocketUrl!));
      },
    ));
});

/** Runs in the page: says some verbs, and gives all that comes up to the PONG. */
function speak(url: string): Promise<{ received: string; extensions: string; frame: number }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    let received = "";
    let frame = 0;
    socket.binaryType = "arraybuffer";
    socket.onerror = () => reject(new Error("the WebSocket fails"));
    socket.onopen = () => {
      const payload = "x".repeat(50_000);
      socket.send('CONNECT {"verbose":false}\r\nSUB a 1\r\n');
      socket.send(`PUB a 5\r\nhello\r\nPUB a ${payload.length}\r\n${payload}\r\nPING\r\n`);
    };
    socket.onmessage = ({ data }: { data: ArrayBuffer }) => {
      frame = Math.max(frame, data.byteLength);
      received += new TextDecoder("latin1").decode(data);
      if (!received.endsWith("PONG\r\n")) return;
      resolve({ received, extensions: socket.extensions, frame });
      socket.close();
    };
  });
}

/** Runs in the page: asks with the official client. */
async function requestGreeting(url: string): Promise<string> {
  const { nats } = globalThis as unknown as { nats: typeof import("@nats-io/nats-core") };
  const connection = await nats.wsconnect({ servers: url, reconnect: false });
  const answer = await connection.request("greet", "page", { timeout: 5_000 });
  await connection.close();
  return answer.string();
}
