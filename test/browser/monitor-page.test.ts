import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Connection, connect, NatsServer } from "../../src/runtime/node/index.ts";
import { complaintsOf, openBrowser } from "../support/browser.ts";
import { RawClient } from "../support/raw-client.ts";

/** What a client calls itself that wants to run a script in the page. */
const NASTY = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

describe("the live page", () => {
  let browser: Browser;
  let server: NatsServer;
  let nc: Connection;
  let ticker: ReturnType<typeof setInterval>;

  before(async () => {
    browser = await openBrowser();
    server = await NatsServer.start({
      listen: { port: 0 },
      http: { port: 0 },
      httpBasePath: "/nats",
      serverName: "page-test",
      maxPending: 1_048_576,
    });
    nc = (await connect({ inProcessServer: server, name: "busy" })) as Connection;
    nc.subscribe("page.*", { queue: "readers", callback() {} });
    const nasty = await connect({ inProcessServer: server, name: NASTY });
    nasty.subscribe("nasty", { callback() {} });
    await nasty.flush();
    const slow = await RawClient.open(server.port!);
    await slow.ask('CONNECT {"verbose":false,"name":"sleepy"}\r\nSUB big 1\r\nPING\r\n');
    slow.socket.pause();
    // More than what may wait and what the system takes for a socket.
    for (let i = 0; i < 100 && server.stats().slowConsumers === 0; i++) {
      nc.publish("big", new Uint8Array(500_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    ticker = setInterval(() => {
      for (let i = 0; i < 20; i++) nc.publish("page.x", "0123456789");
    }, 20);
  });

  after(async () => {
    clearInterval(ticker);
    await browser?.close();
    await server?.close();
  });

  async function visit(viewport: { width: number; height: number }, colorScheme: "light" | "dark") {
    const page = await browser.newPage({ viewport, colorScheme });
    const { origin } = new URL(server.monitorUrl!);
    const complaints = complaintsOf(page, origin);
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    await page.goto(server.monitorUrl!);
    await page.locator("#connections tbody tr").nth(1).waitFor();
    return { page, complaints };
  }

  /** The text of the tile with that name. */
  function tile(page: Page, name: string): Promise<string> {
    return page.locator("#tiles .card", { hasText: name }).locator(".value").innerText();
  }

  test("shows what the server does, and asks nobody else", async () => {
    const { page, complaints } = await visit({ width: 1280, height: 900 }, "light");
    assert.equal(await page.locator("#name").innerText(), "page-test");
    // Rates come with the second look.
    await page
      .locator("#tiles .value", { hasText: /^[1-9].*\/s$/ })
      .first()
      .waitFor();
    assert.equal(await tile(page, "Connections"), "2");
    assert.equal(await tile(page, "Slow consumers"), "1");
    assert.match(await page.locator("#state").innerText(), /running/);
    const connections = await page.locator("#connections tbody").innerText();
    assert.match(connections, /busy/);
    assert.ok(connections.includes(NASTY), "names are shown as text");
    assert.equal(await page.locator("#jetstream").isVisible(), false, "there is no JetStream");
    assert.match(await page.locator("#subscriptions tbody").innerText(), /page\.\*[\s\S]*readers/);
    assert.match(await page.locator("#gone tr.bad").innerText(), /sleepy[\s\S]*Slow Consumer/);
    await page.locator('#flow polyline.in[points*=" "]').waitFor({ state: "attached" });
    await page.selectOption("#sort", "subs");
    await page.waitForResponse((response) => response.url().includes("sort=subs"));
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("fits a phone, dark as well", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const { page, complaints } = await visit({ width: 390, height: 844 }, scheme);
      const widths = await page.evaluate<number[]>(
        "[document.documentElement.scrollWidth, window.innerWidth]",
      );
      assert.equal(widths[0], widths[1], "nothing is wider than the screen");
      const back = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      const [red] = back.match(/\d+/g)!.map(Number);
      assert.equal(red < 128, scheme === "dark", back);
      assert.deepEqual(complaints, []);
      await page.close();
    }
  });

  test("shows streams and consumers where there is JetStream, on a phone as well", async (t) => {
    await using other = await NatsServer.start({ http: { port: 0 }, jetstream: {} });
    const nc = await connect({ inProcessServer: other });
    const ask = (subject: string, body: object) => nc.request(`$JS.API.${subject}`, JSON.stringify(body));
    await ask("STREAM.CREATE.ORDERS", { name: "ORDERS", subjects: ["orders.*"] });
    await ask("CONSUMER.CREATE.ORDERS.slow", {
      stream_name: "ORDERS",
      config: { durable_name: "slow", ack_policy: "explicit" },
    });
    for (let i = 0; i < 5; i++) await nc.request(`orders.${i % 2}`, "0123456789");
    const pull = "$JS.API.CONSUMER.MSG.NEXT.ORDERS.slow";
    // One is acknowledged, one comes again, and one has come once.
    for (const acknowledgement of ["+ACK", "-NAK", "", ""]) {
      const msg = await nc.request(pull, "", { timeout: 5_000, noMux: true });
      if (acknowledgement !== "") await nc.request(msg.reply!, acknowledgement);
    }
    const writer = setInterval(() => nc.publish("orders.0", "0123456789"), 20);
    t.after(() => clearInterval(writer));
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    const complaints = complaintsOf(page, new URL(other.monitorUrl!).origin);
    await page.goto(other.monitorUrl!);
    const stream = page.locator("#streams tbody tr", { hasText: "ORDERS" });
    const consumer = page.locator("#consumers tbody tr", { hasText: "slow" });
    const cell = (of: typeof stream, name: string) => of.locator(`td[data-name="${name}"]`);
    await cell(stream, "Stored")
      .filter({ hasText: /^[1-9].*\/s$/ })
      .waitFor();
    assert.ok(Number(await cell(stream, "Messages").innerText()) > 5);
    assert.equal(await cell(stream, "Subjects").innerText(), "2");
    assert.equal(await cell(stream, "Consumers").innerText(), "1");
    await cell(consumer, "Lag")
      .filter({ hasText: /^[1-9]/ })
      .waitFor();
    assert.equal(await cell(consumer, "Pending").innerText(), "2");
    assert.equal(await cell(consumer, "Redelivered").innerText(), "1");
    const widths = await page.evaluate<number[]>("[document.documentElement.scrollWidth, window.innerWidth]");
    assert.equal(widths[0], widths[1], "nothing is wider than the screen");
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("its links lead to the views", async () => {
    const { page } = await visit({ width: 800, height: 600 }, "light");
    const links = await page.evaluate<string[]>("[...document.querySelectorAll('nav a')].map((a) => a.href)");
    const own = links.filter((link) => link.startsWith(server.monitorUrl!));
    assert.equal(own.length, 13);
    for (const link of own) {
      const expected = link.endsWith("/raftz") ? 404 : 200;
      assert.equal((await fetch(link)).status, expected, link);
    }
    await page.close();
  });

  test("says so when the server has gone, and goes on when it is back", async () => {
    const other = await NatsServer.start({ http: { port: 0 } });
    const page = await browser.newPage();
    await page.goto(other.monitorUrl!);
    await page.locator("#state", { hasText: "running" }).waitFor();
    const port = Number(new URL(other.monitorUrl!).port);
    await other.close();
    await page.locator("#state", { hasText: "no answer" }).waitFor();
    const again = await NatsServer.start({ http: { port } });
    await page.locator("#state", { hasText: "running" }).waitFor();
    await page.close();
    await again.close();
  });
});
