/**
 * JetStream by the official library on our connection, in process or over TCP: `stream-library.ts <"in process" or a port>
 * <case as JSON>` prints the result as JSON. The stream is in files either way.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import {
  AckPolicy,
  type JetStreamClient,
  jetstream,
  jetstreamManager,
  type StorageType,
} from "@nats-io/jetstream";
import { connect, NatsServer } from "../../dist/runtime/node/index.js";

/** One load: messages that are published, got by a consumer and acknowledged (`consume`), or asked for and acknowledged one by one (`next`). */
export interface LibraryLoad {
  readonly kind: "publish" | "consume" | "next";
  readonly storage: "file" | "memory";
  readonly size: number;
  readonly count: number;
  /** How many publishes are under way at a time. */
  readonly together: number;
}

async function publish(client: JetStreamClient, load: LibraryLoad): Promise<void> {
  const payload = new Uint8Array(load.size).fill(7);
  let begun = 0;
  const one = async (): Promise<void> => {
    while (begun < load.count) {
      begun += 1;
      await client.publish("bench", payload);
    }
  };
  await Promise.all(Array.from({ length: load.together }, one));
}

async function consume(client: JetStreamClient, load: LibraryLoad): Promise<void> {
  const consumer = await client.consumers.get("BENCH", "bench");
  let received = 0;
  const messages = await consumer.consume({ max_messages: 500 });
  for await (const message of messages) {
    message.ack();
    received += 1;
    if (received === load.count) break;
  }
}

async function next(client: JetStreamClient, load: LibraryLoad): Promise<void> {
  const consumer = await client.consumers.get("BENCH", "bench");
  for (let received = 0; received < load.count; received++) {
    const message = await consumer.next();
    if (message === null) throw new Error("there is no message");
    message.ack();
  }
}

const CONSUMERS = { consume, next };

const [where, json] = process.argv.slice(2);
const load = JSON.parse(json) as LibraryLoad;
const directory = where === "in process" ? mkdtempSync(join(tmpdir(), "gnatlet-bench-")) : undefined;
const options: object = { jetstream: { storeDir: directory } };
const server = directory === undefined ? undefined : await NatsServer.start(options);
const connection = await connect(
  server === undefined ? { servers: `127.0.0.1:${where}` } : { inProcessServer: server },
);
const manager = await jetstreamManager(connection);
await manager.streams.delete("BENCH").catch(() => false);
await manager.streams.add({ name: "BENCH", subjects: ["bench"], storage: load.storage as StorageType });
await manager.consumers.add("BENCH", { durable_name: "bench", ack_policy: AckPolicy.Explicit });
const client = jetstream(connection);
let start = performance.now();
await publish(client, load);
if (load.kind !== "publish") {
  start = performance.now();
  await CONSUMERS[load.kind](client, load);
}
const seconds = (performance.now() - start) / 1000;
await connection.close();
await server?.close();
if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
process.stdout.write(`${JSON.stringify({ rate: load.count / seconds })}\n`);
process.exit(0);
