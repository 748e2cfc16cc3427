/** `nats stream backup` and `nats stream restore` on this server. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { NatsServer } from "../../src/runtime/node/index.ts";

const run = promisify(execFile);
/** How long (ms) one command may take. */
const PATIENCE_MS = 20_000;

test("a stream is backed up and restored, and so is one of nats-server 2.14", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gnatlet-backup-"));
  const server = await NatsServer.start({
    listen: { port: 0 },
    jetstream: { storeDir: join(folder, "store") },
  });
  const nats = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run(process.env.NATS_CLI!, ["-s", server.clientUrl!, ...args], {
      timeout: PATIENCE_MS,
    });
    return stdout + stderr;
  };
  try {
    await nats("stream", "add", "ORDERS", "--subjects", "orders.>", "--defaults");
    await nats(
      "bench",
      "js",
      "pub",
      "sync",
      "orders.new",
      "--stream",
      "ORDERS",
      "--msgs",
      "2000",
      "--size",
      "500",
      "--no-progress",
    );
    await nats("consumer", "add", "ORDERS", "billing", "--pull", "--defaults");
    await nats("consumer", "next", "ORDERS", "billing", "--count", "3", "--ack");
    const backup = join(folder, "backup");
    const made = await nats("stream", "backup", "ORDERS", backup, "--consumers", "--no-progress", "--check");
    assert.match(made, /Received .* compressed data in \d+ chunks for stream "ORDERS"/);
    await nats("stream", "rm", "ORDERS", "-f");
    const fixture = join(import.meta.dirname, "../fixtures/jetstream/snapshot-2.14");
    for (const [from, stream, messages] of [
      [backup, "ORDERS", 2_000],
      // Eleven, of which one had a TTL of some hours.
      [fixture, "FIX", 10],
    ] as const) {
      assert.match(
        await nats("stream", "restore", from, "--no-progress"),
        new RegExp(`Restored stream "${stream}"`),
      );
      const { state } = JSON.parse(await nats("stream", "info", stream, "--json"));
      assert.deepEqual([state.messages, state.consumer_count], [messages, 1]);
      await assert.rejects(nats("stream", "restore", from, "--no-progress"), /already exist|already in use/);
    }
    const consumer = JSON.parse(await nats("consumer", "info", "ORDERS", "billing", "--json"));
    assert.deepEqual([consumer.ack_floor.stream_seq, consumer.num_pending], [3, 1_997]);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
