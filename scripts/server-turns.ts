/**
 * Measures how long a server with streams in files keeps the event loop at once: `npx tsx scripts/server-turns.ts [case ...] [--mb 1024] [--profile]`; all
 * cases without. In each, so many MB are published to a stream by a client in the same program (in `flood`, by one in another, that does not wait), and the server is closed and started again. Of each: the longest turn, how many were longer than 5 ms
 * (the garbage collector's pauses left out), its longest pause, and with `--profile` what ran in those turns.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type ConsumerConfig,
  type JetStreamClient,
  jetstream,
  jetstreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { connect, NatsServer } from "../src/runtime/node/index.ts";
import { TurnProbe } from "./turn-probe.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { mb: { type: "string", default: "1024" }, profile: { type: "boolean", default: false } },
});
const MIB = 1024 * 1024;
const TOTAL = Number(values.mb) * MIB;
/** As many messages as come in one turn. */
const BURST = 200;
const ROUND = BURST * 50;
const SUBJECTS = 10_000;

/** What is published, to what, and who reads it meanwhile. */
interface Case {
  readonly name: string;
  readonly stream: Partial<StreamConfig>;
  readonly payload: (i: number) => Uint8Array;
  /** Whether each message has an id. */
  readonly ids?: boolean;
  /** Whether files are encrypted. */
  readonly encrypted?: boolean;
  readonly consumers?: readonly Partial<ConsumerConfig>[];
  /** Whether another program publishes. */
  readonly flood?: boolean;
}

const plain = (bytes: number): (() => Uint8Array) => {
  const payload = new Uint8Array(bytes).fill(120);
  return () => payload;
};

/** An order, as JSON: much of one is as in the others. */
function order(i: number): Uint8Array {
  const customer = { id: (i * 7919) % 10_007, name: `customer ${(i * 7919) % 10_007}`, country: "NL" };
  const items = [
    { sku: `sku-${(i * 104_729) % 5003}`, count: 1 + (i % 4), price: ((i * 31_337) % 10_000) / 100 },
  ];
  const at = new Date(1.7e12 + i * 1371).toISOString();
  return new TextEncoder().encode(
    JSON.stringify({ id: i, event: ["created", "paid"][i % 2], at, customer, items }),
  );
}

const LISTEN = { listen: { host: "127.0.0.1", port: 0 } };
const EXPLICIT = { ack_policy: "explicit", max_ack_pending: 20_000 } as const;

const CASES: readonly Case[] = [
  { name: "append", stream: {}, payload: plain(256) },
  { name: "append-large", stream: {}, payload: plain(64 * 1024) },
  { name: "compressed", stream: { compression: "s2" as StreamConfig["compression"] }, payload: order },
  { name: "encrypted", stream: {}, payload: plain(256), encrypted: true },
  { name: "max-bytes", stream: { max_bytes: TOTAL / 8 }, payload: plain(256) },
  { name: "per-subject", stream: { max_msgs_per_subject: 10 }, payload: plain(256) },
  { name: "ids", stream: {}, payload: plain(256), ids: true },
  {
    name: "consumers",
    stream: {},
    payload: plain(256),
    consumers: [EXPLICIT, { ...EXPLICIT, filter_subject: "orders.1.*" }],
  },
  { name: "flood", stream: {}, payload: plain(16), flood: true },
  { name: "work-queue", stream: { retention: "workqueue" }, payload: plain(256), consumers: [EXPLICIT] },
];

async function publishAll(
  nc: NatsConnection,
  each: Case,
  mayGoOn: (published: number) => boolean,
): Promise<number> {
  let bytes = 0;
  let count = 0;
  for (; bytes < TOTAL; count++) {
    const payload = each.payload(count);
    const sent = each.ids === true ? headers() : undefined;
    sent?.set("Nats-Msg-Id", `message-${count}`);
    nc.publish(`orders.${count % 10}.${Math.floor(count / 10) % (SUBJECTS / 10)}`, payload, {
      headers: sent,
    });
    bytes += payload.length;
    const largest = payload.length > 4096 ? 8 : BURST;
    if (count % largest !== largest - 1) continue;
    if (count % ROUND === ROUND - 1) await nc.flush();
    else await new Promise((resolve) => setImmediate(resolve));
    while (!mayGoOn(count)) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await nc.flush();
  return count;
}

/** Reads and acknowledges all that comes, with a connection of its own. */
async function consume(js: JetStreamClient, name: string, got: () => void): Promise<{ stop(): void }> {
  const consumer = await js.consumers.get("ORDERS", name);
  return consumer.consume({
    max_messages: 1000,
    callback: (message) => {
      message.ack();
      got();
    },
  });
}

/** Has another program publish as much as it can. */
async function flood(server: NatsServer, nc: NatsConnection): Promise<number> {
  const child = fork(join(import.meta.dirname, "flood.ts"), [String(server.port), values.mb, "orders.1.1"]);
  await once(child, "exit");
  await nc.flush();
  return (await jetstreamManager(nc).then((manager) => manager.streams.info("ORDERS"))).state.messages;
}

async function run(each: Case): Promise<void> {
  const storeDir = await mkdtemp(join(process.env.STORAGE_LOAD_DIR ?? tmpdir(), "gnatlet-turns-"));
  const encryptionKey = each.encrypted === true ? "a key of thirty-two characters.." : undefined;
  const start = (): Promise<NatsServer> =>
    NatsServer.start({ ...LISTEN, jetstream: { storeDir, maxFileStore: 64 * 1024 * MIB, encryptionKey } });
  let server = await start();
  const nc = await connect({ inProcessServer: server });
  const reading = await connect({ inProcessServer: server });
  try {
    const manager = await jetstreamManager(nc);
    await manager.streams.add({ name: "ORDERS", subjects: ["orders.>"], ...each.stream });
    const consumers = each.consumers ?? [];
    for (const [i, config] of consumers.entries()) {
      await manager.consumers.add("ORDERS", { durable_name: `c${i}`, ...config });
    }
    let got = 0;
    const js = jetstream(reading);
    for (const i of consumers.keys()) {
      await consume(js, `c${i}`, () => {
        if (i === 0) got += 1;
      });
    }
    const probe = new TurnProbe();
    const cpu = process.cpuUsage();
    const from = performance.now();
    await probe.start(values.profile);
    const mayGoOn = (published: number): boolean => consumers.length === 0 || published - got < ROUND;
    const count = each.flood === true ? await flood(server, nc) : await publishAll(nc, each, mayGoOn);
    while (consumers.length > 0 && got < count) await new Promise((resolve) => setTimeout(resolve, 10));
    const { state } = await manager.streams.info("ORDERS");
    const { longest, beyond, stalled, pause, told } = await probe.stop();
    const seconds = (performance.now() - from) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    console.log(
      `${each.name.padEnd(14)} ${count} messages in ${seconds.toFixed(1)} s (cpu ${((user + system) / count).toFixed(2)} µs each), ${state.messages} left: longest turn ${longest.toFixed(1)} ms, ${beyond} beyond 5, ${stalled} stalled; longest collection ${pause.toFixed(1)} ms`,
    );
    for (const text of told) console.log(text);
    await reading.close();
    await nc.close();
    const again = new TurnProbe();
    const closing = performance.now();
    await again.start(values.profile);
    await server.close();
    server = await start();
    const turns = await again.stop();
    console.log(
      `${"".padEnd(14)} closed and opened again in ${((performance.now() - closing) / 1000).toFixed(1)} s: longest turn ${turns.longest.toFixed(1)} ms, ${turns.beyond} beyond 5, ${turns.stalled} stalled; longest collection ${turns.pause.toFixed(1)} ms`,
    );
    for (const text of turns.told) console.log(text);
  } finally {
    await reading.close();
    await nc.close();
    await server.close();
    await rm(storeDir, { recursive: true, force: true });
  }
}

for (const each of CASES) if (positionals.length === 0 || positionals.includes(each.name)) await run(each);
