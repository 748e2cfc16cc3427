/**
 * Measures the file store on this machine's disk: `npx tsx scripts/storage-load.ts [many|large|compressed] [--profile]`; all without.
 * `many`: 10 million messages over a million subjects. `large`: 1 GiB of messages of 128 bytes over 10,000 subjects, with purges and merges.
 * `compressed`: 200 MB of JSON in a stream with compression.
 * Of each step: how long it took, how long it kept the event loop at most at once, how much memory there is then. The figures are in docs/storage.md.
 */
import { readdirSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { nodeRuntime } from "../src/runtime/node/runtime.ts";
import { FileStorage } from "../src/storage/file-storage.ts";
import type { StoreOptions, StreamStore } from "../src/storage/store.ts";
import { TurnProbe } from "./turn-probe.ts";

const OPTIONS: StoreOptions = { sync: "always", noteAge: 120_000 };
/** As many as one turn of a server with a full socket may bring. */
const BURST = 500;
const MIB = 1024 * 1024;

/** With `--profile`: what ran in each turn of more than 5 ms is told, and all takes a little longer. */
const profile = process.argv.includes("--profile");
const wanted = process.argv.slice(2).find((each) => !each.startsWith("--"));

let open: { storage: FileStorage; store: StreamStore };

async function openStore(directory: string, options: StoreOptions = OPTIONS): Promise<StreamStore> {
  const runtime = nodeRuntime();
  const storage = await FileStorage.open(directory, { ...runtime, disk: await runtime.loadDisk() });
  open = { storage, store: await storage.openStream(["S"], options) };
  return open.store;
}

/** Runs a step, and says what it cost. */
async function step<T>(name: string, action: () => Promise<T>, count = 0): Promise<T> {
  const probe = new TurnProbe();
  await probe.start(profile);
  const cpu = process.cpuUsage();
  const from = performance.now();
  const result = await action();
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  const { longest, beyond, stalled, told } = await probe.stop();
  const each = count > 0 ? `${((ms / count) * 1e6).toFixed(0)} ns each` : "";
  const memory = process.memoryUsage();
  console.log(
    `${name.padEnd(46)} ${(ms / 1000).toFixed(2).padStart(7)} s (cpu ${((user + system) / 1e6).toFixed(2)}) ${each.padStart(14)}, longest turn ${longest.toFixed(1).padStart(5)} ms (${beyond} beyond 5, ${stalled} stalled), rss ${(memory.rss / MIB).toFixed(0)}, buffers ${(memory.arrayBuffers / MIB).toFixed(0)}, heap ${(memory.heapUsed / MIB).toFixed(0)} MiB`,
  );
  for (const each of told) console.log(each);
  return result;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function append(
  store: StreamStore,
  count: number,
  subjects: number,
  payload: Uint8Array,
): Promise<void> {
  const time = Date.now();
  for (let i = 0; i < count; i++) {
    store.append(`orders.${i % subjects}.new`, undefined, payload, time + i / 1000);
    if (i % BURST !== BURST - 1) continue;
    if (i % 50_000 === 49_999) await store.flush();
    else await turn();
  }
  await store.flush();
}

async function readAll(store: StreamStore): Promise<void> {
  const all = store.filter([]);
  let seq = 0;
  for (let count = 1; ; count++) {
    const next = store.next(all, seq + 1);
    seq = typeof next === "number" ? next : await next;
    if (seq === 0) break;
    const message = store.get(seq);
    if (message instanceof Promise) await message;
    if (count % BURST === 0) await turn();
  }
  all.close();
}

async function readFiltered(store: StreamStore, subject: string): Promise<number> {
  const filter = store.filter([subject]);
  let seq = 0;
  let count = 0;
  for (;;) {
    const next = store.next(filter, seq + 1);
    seq = typeof next === "number" ? next : await next;
    if (seq === 0) break;
    count += 1;
  }
  filter.close();
  return count;
}

async function reopen(directory: string, crash: boolean): Promise<StreamStore> {
  await step("close", () => open.storage.close());
  if (crash) await rm(join(directory, "%53", "stream.index"));
  return step(crash ? "open after a crash" : "open after a clean stop", () => openStore(directory));
}

async function many(directory: string): Promise<void> {
  const messages = 10_000_000;
  let store = await step("open", () => openStore(directory));
  const payload = new Uint8Array(16).fill(120);
  await step(
    "append 10 million, a million subjects",
    () => append(store, messages, 1_000_000, payload),
    messages,
  );
  store = await reopen(directory, false);
  await step("read all", () => readAll(store), messages);
  await step("next with a literal filter", () => readFiltered(store, "orders.77.new"), 10);
  await step("last of each subject", () => store.lastOfEach(store.filter(["orders.*.new"])));
  await step("count with wildcards", async () => store.count(store.filter(["orders.*.new"]), 5));
  await step("first at a time", async () => store.seqAt(Date.now() + 1e6));
  store = await reopen(directory, true);
  await step("purge one subject in two", () =>
    store.purge({ filter: store.filter(["orders.*.new"]), keep: 5_000_000 }),
  );
  await step("purge all", () => store.purge({}));
  await step("close", () => open.storage.close());
}

async function large(directory: string): Promise<void> {
  const messages = 5_300_000;
  let store = await step("open", () => openStore(directory));
  const payload = new Uint8Array(128).fill(120);
  await step("append 1 GiB, 10,000 subjects", () => append(store, messages, 10_000, payload), messages);
  await step("next with a literal filter", () => readFiltered(store, "orders.77.new"), messages / 10_000);
  await step("read all, from disk", () => readAll(store), messages);
  store = await reopen(directory, true);
  await step("remove three of four", () => removeMost(store), (messages * 3) / 4);
  await step("merging goes on", () => new Promise((resolve) => setTimeout(resolve, 15_000)));
  await step("read the rest", () => readAll(store), messages / 4);
  store = await reopen(directory, true);
  await step("purge up to the middle", () => store.purge({ before: messages / 2 }));
  await step("purge by subject", () => store.purge({ filter: store.filter(["orders.1*.new"]) }));
  await step("purge all but the last 1000", () => store.purge({ keep: 1000 }));
  await step("append again", () => append(store, 100_000, 10_000, payload), 100_000);
  await step("purge all", () => store.purge({}));
  await step("close", () => open.storage.close());
}

/** An order, as JSON: much of one is as in the others. */
function order(seq: number): Uint8Array {
  const price = ((seq * 31_337) % 10_000) / 100;
  const at = new Date(1.7e12 + seq * 1371).toISOString();
  const customer = { id: (seq * 7919) % 10_007, name: `customer ${(seq * 7919) % 10_007}`, country: "NL" };
  const items = [{ sku: `sku-${(seq * 104_729) % 5003}`, count: 1 + (seq % 4), price }];
  return new TextEncoder().encode(
    JSON.stringify({ id: seq, event: ["created", "paid", "sent"][seq % 3], at, customer, items }),
  );
}

async function compressed(directory: string): Promise<void> {
  const messages = 1_000_000;
  let store = await step("open", () => openStore(directory, { ...OPTIONS, compression: "s2" }));
  await step(
    "append 200 MB of JSON",
    async () => {
      for (let seq = 1; seq <= messages; seq++) {
        store.append(`orders.${seq % 10_000}.new`, undefined, order(seq), 1.7e12 + seq);
        if (seq % BURST === 0) await turn();
        if (seq % 50_000 === 0) await store.flush();
      }
      await store.flush();
    },
    messages,
  );
  await step("compressing goes on", async () => {
    for (let names = readdirSync(join(directory, "%53")); ; names = readdirSync(join(directory, "%53"))) {
      if (names.filter((name) => !name.endsWith(".s2")).length === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  let onDisk = 0;
  for (const name of readdirSync(join(directory, "%53"))) {
    const { size } = statSync(join(directory, "%53", name));
    if (name.endsWith(".s2")) onDisk += size;
  }
  console.log(`${store.state.bytes} bytes of messages, ${onDisk} bytes in compressed files`);
  await step("close", () => open.storage.close());
  store = await step("open after a clean stop", () => openStore(directory));
  await step("read all, in order", () => readAll(store), messages);
  store = await reopen(directory, true);
  await step("erase 100", async () => {
    for (let seq = 1000; seq < 1100; seq++) store.remove(seq, { erase: true });
    await store.flush();
  });
  await step("close", () => open.storage.close());
}

async function removeMost(store: StreamStore): Promise<void> {
  const { lastSeq } = store.state;
  for (let seq = 1; seq <= lastSeq; seq++) {
    if (seq % 4 !== 0) store.remove(seq);
    if (seq % BURST === 0) await turn();
  }
  await store.flush();
}

const parts: Readonly<Record<string, (directory: string) => Promise<void>>> = { many, large, compressed };

for (const [name, part] of Object.entries(parts)) {
  if (wanted !== undefined && wanted !== name) continue;
  const directory = await mkdtemp(join(process.env.STORAGE_LOAD_DIR ?? tmpdir(), `gnatlet-${name}-`));
  try {
    await part(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
