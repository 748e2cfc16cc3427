import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { NodeClock } from "../../src/runtime/node/clock.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { RealServer } from "../support/real-server.ts";
import {
  BackupClient,
  fillStream,
  listStore,
  readSnapshot,
  snapshotSource,
  timeOf,
  writeSnapshot,
} from "../support/snapshots.ts";

let folder: string;
let server: RealServer;
let client: BackupClient;

async function start(): Promise<void> {
  server = await RealServer.start(["-js", "-sd", folder]);
  client = await BackupClient.connect(server.url);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-js-"));
  await start();
});

after(async () => {
  await client.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Whether the server makes and takes archives (2.15 on); before, only tar. */
function hasArchives(): boolean {
  const [, minor] = client.nc.info!.version.split(".");
  return Number(minor) >= 15;
}

const FILLING = { messages: 600, header: ["X", ""], deleted: [300, 302, 500, 710] } as const;

/** Consumers that have delivered, acknowledged and delivered again. */
async function consume(name: string): Promise<void> {
  const { nc } = client;
  const config = {
    durable_name: "D",
    ack_policy: "explicit",
    filter_subject: `${name}.4`,
    ack_wait: 3_600e9,
  };
  const made = await client.ask(`CONSUMER.DURABLE.CREATE.${name}.D`, { stream_name: name, config });
  assert.equal(made.error, undefined);
  const next = () => nc.request(`$JS.API.CONSUMER.MSG.NEXT.${name}.D`, "", { timeout: 5_000, noMux: true });
  for (let i = 0; i < 5; i++) {
    const message = await next();
    if (i === 0 || i === 3) message.respond("+ACK");
    if (i === 4) message.respond("-NAK");
  }
  await next();
  await nc.flush();
}

for (const storage of ["file", "memory"]) {
  test(`a real server's snapshot of a stream in ${storage} is read to the very messages`, async (t) => {
    if (storage === "memory" && !hasArchives())
      return t.skip("servers before 2.15 make none of streams in memory");
    await fillStream(client, "READ", storage, FILLING);
    await consume("READ");
    const { bytes, state } = await client.backup("READ", { chunk_size: 4_096 });
    const expected = await client.list("READ");
    for (const size of [bytes.length, 1_000]) {
      const read = readSnapshot(bytes, "READ", size);
      assert.deepEqual([...read.messages.values()], expected);
      assert.equal(Math.max(read.bounds!.firstSeq, expected[0].seq), state.first_seq);
      assert.equal(read.bounds!.lastSeq, state.last_seq);
      const [consumer, ...others] = read.consumers;
      assert.equal(others.length, 0);
      const info = (await client.ask("CONSUMER.INFO.READ.D")) as unknown as ConsumerInfo;
      assert.equal(consumer.name, "D");
      assert.equal(consumer.config.filterSubject, "READ.4");
      assert.deepEqual(pairOf(consumer.state.delivered), numbers(info.delivered));
      assert.deepEqual(pairOf(consumer.state.ackFloor), numbers(info.ack_floor));
      assert.equal(consumer.state.pending.size, info.num_ack_pending);
      assert.equal(consumer.state.redelivered.size, info.num_redelivered);
    }
    await client.ask("STREAM.DELETE.READ");
  });
}

interface ConsumerInfo {
  readonly delivered: { consumer_seq: number; stream_seq: number };
  readonly ack_floor: { consumer_seq: number; stream_seq: number };
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
}

const pairOf = ({ consumer, stream }: { consumer: number; stream: number }): number[] => [consumer, stream];
const numbers = (pair: ConsumerInfo["delivered"]): number[] => [pair.consumer_seq, pair.stream_seq];

/** A store with messages, gaps of all sizes, and removed ones at both ends. */
function storeOfOurs(): MemoryStore {
  const clock = new NodeClock();
  const store = new MemoryStore(clock, 1, { sync: "always", noteAge: 0, firstSeq: 41 });
  const headers = new TextEncoder().encode("NATS/1.0\r\nA: b\r\n\r\n");
  const random = new Uint8Array(200_000);
  for (let i = 0; i < random.length; i++) random[i] = (i * i * 17) >> 4;
  const now = Math.floor(clock.now()) - 60_000;
  for (let i = 0; i < 500; i++) {
    const payload = i % 20 === 0 ? random.subarray(i) : new TextEncoder().encode(`${i} `.repeat(i % 50));
    store.append(`W.ü${i % 5}`, i % 4 === 0 ? headers : undefined, payload, now + i + 0.25);
    if (i % 100 === 50) store.skip(3);
  }
  store.skip(50_000);
  store.append("W.far", undefined, random.subarray(0, 10), now + 1_000);
  for (const seq of [41, 42, 100, 101, 300]) store.remove(seq);
  store.skip(7);
  return store;
}

const CONFIG = { name: "W", subjects: ["W.>"], storage: "file", retention: "limits", num_replicas: 1 };

for (const form of ["tar", "archive"] as const) {
  test(`our snapshot as ${form} is restored by a real server`, async (t) => {
    if (form === "archive" && !hasArchives()) return t.skip("servers before 2.15 know no archives");
    const store = storeOfOurs();
    const time = Math.floor(Date.now() / 1_000) * 1_000 - 5_000;
    const consumer = {
      durable_name: "C",
      name: "C",
      deliver_policy: "all",
      ack_policy: "explicit",
      ack_wait: 3_600e9,
      replay_policy: "instant",
      max_deliver: -1,
      num_replicas: 0,
    };
    const source = snapshotSource(store, CONFIG, {
      C: [
        consumer,
        {
          delivered: { consumer: 9, stream: 51 },
          ackFloor: { consumer: 5, stream: 47 },
          pending: new Map([
            [48, { consumerSeq: 6, time }],
            [51, { consumerSeq: 9, time }],
          ]),
          redelivered: new Map([[48, 2]]),
        },
      ],
    });
    const bytes = await writeSnapshot(source, form);
    const expected = await listStore(store);
    assert.deepEqual([...readSnapshot(bytes, "W").messages.values()], expected);
    const answer = await client.restore("W", { config: CONFIG, state: {}, bytes });
    assert.equal(answer.error, undefined);
    const check = async (): Promise<void> => {
      const { state } = (await client.ask("STREAM.INFO.W")) as unknown as { state: Record<string, number> };
      assert.deepEqual(
        [state.first_seq, state.last_seq, state.messages],
        [43, store.state.lastSeq, expected.length],
      );
      const some = expected.filter((_, i) => i % 9 === 0 || i > 480);
      for (const { seq, subject, payload, headers, time } of some) {
        const { message } = (await client.ask("STREAM.MSG.GET.W", { seq })) as unknown as {
          message: { subject: string; data?: string; hdrs?: string; time: string };
        };
        assert.deepEqual(
          [message.subject, message.data ?? "", message.hdrs ?? "", timeOf(message.time)],
          [subject, payload, headers, time],
        );
      }
      const info = (await client.ask("CONSUMER.INFO.W.C")) as unknown as ConsumerInfo;
      assert.deepEqual(
        [numbers(info.delivered), numbers(info.ack_floor)],
        [
          [9, 51],
          [5, 47],
        ],
      );
      assert.deepEqual([info.num_ack_pending, info.num_redelivered], [2, 1]);
    };
    await check();
    // Its files are good: what it finds in them after a start is the same.
    await client.close();
    await server.close();
    await start();
    await check();
    assert.deepEqual(
      server.log.filter((line) => /checksum|corrupt|error|lost/i.test(line)),
      [],
    );
    await client.ask("STREAM.DELETE.W");
  });
}

test("an empty stream of ours keeps its numbers at a real server", async () => {
  const store = new MemoryStore(new NodeClock(), 1, { sync: "always", noteAge: 0 });
  store.append("W.a", undefined, new Uint8Array(1), Date.now());
  store.skip(20);
  store.remove(1);
  const bytes = await writeSnapshot(snapshotSource(store, CONFIG), "tar");
  assert.equal((await client.restore("W", { config: CONFIG, state: {}, bytes })).error, undefined);
  const { state } = (await client.ask("STREAM.INFO.W")) as unknown as { state: Record<string, number> };
  assert.deepEqual([state.first_seq, state.last_seq, state.messages], [22, 21, 0]);
  await client.ask("STREAM.DELETE.W");
});
