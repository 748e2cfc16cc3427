/** Publishers that write as fast as they can, on the command in a process of its own: its memory stays bounded, and others go on being answered. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Bulk, type Ports, WAYS, type Way } from "../support/bulk.ts";
import { Command, GNATLET } from "../support/command.ts";
import { memoryOf, peakMemoryOf } from "../support/process-memory.ts";
import { RawClient } from "../support/raw-client.ts";
import { certificate } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";

const PLAIN = 'CONNECT {"verbose":false}\r\n';
const PAYLOAD = "x".repeat(1_000);
const PUBLISHED = `PUB flood 1000\r\n${PAYLOAD}\r\n`;
const DELIVERED_BYTES = `MSG flood 1 1000\r\n${PAYLOAD}\r\n`.length;
/** How many messages are written at a time. */
const AT_A_TIME = 250;
const CHUNK = Buffer.from(PUBLISHED.repeat(AT_A_TIME));
/** A flood has at least so many messages, some 200 MB, and lasts until others have been answered so often meanwhile. */
const MESSAGES = 200_000;
const ANSWERS = 100;
const MAX_PENDING = 8 * 1024 * 1024;
/** What the server may take at its peak beyond what it took before (bytes): far less than goes through it. */
const MAX_GROWTH = 100 * 1024 * 1024;

/** A server with all the ways in, in a process of its own, and two clients: one that answers the other. */
class Flooded {
  readonly server: Command;
  readonly ports: Ports;
  readonly #memory: number | undefined;
  readonly #asks: RawClient;
  readonly #answers: RawClient;

  private constructor(server: Command, ports: Ports, asks: RawClient, answers: RawClient) {
    this.server = server;
    this.ports = ports;
    this.#asks = asks;
    this.#answers = answers;
    this.#memory = memoryOf(server.pid);
  }

  static async start(config: string): Promise<Flooded> {
    const server = await Command.serve(GNATLET, ["-c", config]);
    const asks = await RawClient.open(server.port);
    await asks.ask(`${PLAIN}SUB answer 1\r\nPING\r\n`);
    const answers = await RawClient.open(server.port);
    await answers.ask(`${PLAIN}SUB question 1\r\nPING\r\n`);
    const websocketPort = Number(/websocket clients on \S+:(\d+)/.exec(server.stderr)![1]);
    return new Flooded(server, { port: server.port, websocketPort }, asks, answers);
  }

  /** One request, and its answer. */
  async #request(): Promise<void> {
    this.#asks.send("PUB question 0\r\n\r\n");
    await this.#answers.take(/MSG question 1 0\r\n\r\n/);
    this.#answers.send("PUB answer 0\r\n\r\n");
    await this.#asks.take(/MSG answer 1 0\r\n\r\n/);
  }

  /** Publishes as fast as it goes, while requests go on. Gives the number of messages. */
  async flood(way: Way): Promise<number> {
    const publisher = await Bulk.open(way, this.ports);
    let sent = 0;
    let answered = 0;
    let over = false;
    const requests = (async () => {
      for (; !over; answered++) await this.#request();
    })().finally(() => {
      over = true;
    });
    while (!over && (sent < MESSAGES || answered < ANSWERS)) {
      await publisher.write(CHUNK);
      sent += AT_A_TIME;
      assert.equal(publisher.ended, false, "the publisher is not cut off");
    }
    over = true;
    await requests;
    await publisher.write(Buffer.from("PING\r\n"));
    await until(() => publisher.last.endsWith("PONG\r\n"), "all of the flood has been read");
    publisher.close();
    return sent;
  }

  /** Looks at the most memory that the server has ever held. */
  assertBounded(): void {
    const peak = peakMemoryOf(this.server.pid);
    if (peak === undefined || this.#memory === undefined) return;
    const growth = peak - this.#memory;
    assert.ok(growth < MAX_GROWTH, `${(growth / 2 ** 20).toFixed(0)} MiB more at the peak`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#asks.close();
    this.#answers.close();
    await this.server[Symbol.asyncDispose]();
  }
}

for (const way of WAYS) {
  describe(`a publisher that floods, over ${way}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "gnatlet-flood-"));
    const config = join(folder, "server.conf");

    before(() => {
      const { certFile, keyFile } = certificate("server");
      const tls = `tls { cert_file: ${JSON.stringify(certFile)}, key_file: ${JSON.stringify(keyFile)} }`;
      const lines = [`max_pending: ${MAX_PENDING}`, "websocket { port: -1, no_tls: true }"];
      if (way === "TLS") lines.push(tls, "allow_non_tls: true");
      writeFileSync(config, `${lines.join("\n")}\n`);
    });

    after(() => rmSync(folder, { recursive: true }));

    it("to nobody: bounded memory, and others are answered", async () => {
      await using flooded = await Flooded.start(config);
      await flooded.flood(way);
      flooded.assertBounded();
    });

    it("to a fast subscriber: it gets every message, in bounded memory, and others are answered", async () => {
      await using flooded = await Flooded.start(config);
      const subscriber = await Bulk.open(way, flooded.ports, "SUB flood 1\r\n");
      const sent = await flooded.flood(way);
      await until(() => subscriber.bytes >= sent * DELIVERED_BYTES, "all has come");
      // Beside the messages there are a few PINGs.
      assert.equal(Math.floor(subscriber.bytes / DELIVERED_BYTES), sent);
      flooded.assertBounded();
      subscriber.close();
    });

    it("to a subscriber that never reads: that one is cut off, in bounded memory, and others are answered", async () => {
      await using flooded = await Flooded.start(config);
      const subscriber = await Bulk.open(way, flooded.ports, "SUB flood 1\r\n");
      subscriber.pause();
      await flooded.flood(way);
      await flooded.server.logged(/Slow Consumer Detected: MaxPending of 8388608 Exceeded/);
      flooded.assertBounded();
      subscriber.close();
    });
  });
}
