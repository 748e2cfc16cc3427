/** `gnatlet/client` in a real browser. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build } from "esbuild";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { NetworkProxy } from "../support/proxy.ts";
import { soon, until } from "../support/waiting.ts";

/** The client, and what it uses, as a script that leaves it in `gnatlet`. */
async function clientScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "../../src/runtime/browser/index.ts")],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "gnatlet",
    platform: "browser",
  });
  // What compiles the tests names their functions by this helper.
  return `var __name = (value) => value;\n${outputFiles[0].text}`;
}

describe("gnatlet/client in a browser", () => {
  it("publishes, subscribes, asks and answers, and comes back", async () => {
    await using server = await NatsServer.start({ websocket: { host: "127.0.0.1", port: 0, noTls: true } });
    const proxy = await NetworkProxy.start(Number(new URL(server.websocketUrl!).port));
    await using here = await connect({ inProcessServer: server });
    const script = await clientScript();
    const pages = createServer((request, response) => {
      response.setHeader("Content-Type", request.url === "/client.js" ? "text/javascript" : "text/html");
      response.end(
        request.url === "/client.js"
          ? script
          : '<!doctype html><link rel="icon" href="data:,"><script src="/client.js"></script>',
      );
    });
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    const browser = await openBrowser();
    try {
      const page = await browser.newPage();
      const complaints = complaintsOf(page, origin);
      await page.goto(origin);
      here.subscribe("here", { callback: (_error, msg) => void msg.respond(`hello ${msg.string()}`) });
      await here.flush();
      const url = proxy.url.replace("nats:", "ws:");
      const answers = await page.evaluate(serveAndAsk, url);
      assert.deepEqual(answers, ["hello page", "no responders", 200_000]);
      assert.equal((await here.request("page", "2")).string(), "4");
      proxy.cut();
      await until(() => proxy.connections === 2, "it is back");
      await soon(
        (async () => {
          for (;;) if ((await here.request("page", "5").catch(() => undefined))?.string() === "25") return;
        })(),
        "an answer",
      );
      assert.deepEqual(
        complaints.filter((text) => !/WebSocket/.test(text)),
        [],
      );
    } finally {
      await browser.close();
      pages.close();
      await proxy.close();
    }
  });
});

/** In the page. */
async function serveAndAsk(url: string): Promise<unknown[]> {
  const { connect } = (
    globalThis as unknown as { gnatlet: typeof import("../../src/runtime/browser/index.ts") }
  ).gnatlet;
  const nc = await connect({ servers: url, reconnectTimeWait: 20 });
  nc.subscribe("page", { callback: (_error, msg) => void msg.respond(String(Number(msg.string()) ** 2)) });
  const echo = nc.subscribe("echo", { max: 1 });
  const answers: unknown[] = [(await nc.request("here", "page")).string()];
  await nc
    .request("nobody")
    .catch((error) => answers.push(error.isNoResponders() ? "no responders" : String(error)));
  nc.publish("echo", new Uint8Array(200_000));
  for await (const msg of echo) answers.push(msg.data.length);
  return answers;
}
