import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { headers } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";
import { nameOf } from "../../src/storage/places.ts";
import { RealServer } from "../support/real-server.ts";
import { type Backup, BackupClient, fillStream, type Listed } from "../support/snapshots.ts";
import { until } from "../support/waiting.ts";

let folder: string;
let real: RealServer;
let server: NatsServer;
let theirs: BackupClient;
let ours: BackupClient;
/** The stream of the test at hand: a real server may leave files of a deleted one, and finds them when another has its name. */
let S = "";
let tests = 0;

beforeEach(() => {
  S = `S${++tests}`;
});

const startOurs = async (): Promise<void> => {
  server = await NatsServer.start({
    listen: { port: 0 },
    serverName: "ours",
    jetstream: { storeDir: join(folder, "ours") },
  });
  ours = await BackupClient.connect(`127.0.0.1:${server.port}`);
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-snapshot-"));
  real = await RealServer.start(["-js", "-sd", join(folder, "real")]);
  theirs = await BackupClient.connect(real.url);
  await startOurs();
});

after(async () => {
  await theirs.close();
  await ours.close();
  await real.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const FILLING = { messages: 400, header: ["Nats-Msg-Id", "id "], deleted: [302, 303, 401, 511] } as const;

const fill = (client: BackupClient, name: string, storage: string): Promise<void> =>
  fillStream(client, name, storage, FILLING);

afterEach(async () => {
  for (const client of [theirs, ours]) await remove(client);
});

/** Deletes the stream. */
async function remove(client: BackupClient): Promise<void> {
  await client.ask(`STREAM.DELETE.${S}`);
}

/** Consumers that have delivered, acknowledged, and delivered again. */
async function consume(client: BackupClient, name: string): Promise<void> {
  for (const config of [
    { durable_name: "D", ack_policy: "explicit", filter_subject: `${name}.4`, ack_wait: 3_600e9 },
    { durable_name: "A", ack_policy: "all", ack_wait: 3_600e9, max_deliver: 5 },
    { name: "E", ack_policy: "none", inactive_threshold: 3_600e9 },
  ]) {
    const consumer = config.durable_name ?? config.name!;
    const made = await client.ask(`CONSUMER.CREATE.${name}.${consumer}`, { stream_name: name, config });
    assert.equal(made.error, undefined, JSON.stringify(made.error));
    const next = () =>
      client.nc.request(`$JS.API.CONSUMER.MSG.NEXT.${name}.${consumer}`, "", { timeout: 5_000, noMux: true });
    for (let i = 0; i < 5; i++) {
      const message = await next();
      if (i === 0 || i === 3) message.respond("+ACK");
      if (i === 4) message.respond("-NAK");
    }
    await next();
    await client.nc.flush();
  }
}

/** What must be the same of a consumer wherever it is. */
async function consumers(client: BackupClient, name: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const { consumers } = (await client.ask(`CONSUMER.LIST.${name}`)) as unknown as {
    consumers: Record<string, unknown>[];
  };
  for (const {
    name: consumer,
    config,
    delivered,
    ack_floor,
    num_ack_pending,
    num_redelivered,
    num_pending,
  } of consumers) {
    const { metadata: _, name: __, ...rest } = config as Record<string, unknown>;
    const pairs = [delivered, ack_floor].map((pair) => {
      const { consumer_seq, stream_seq } = pair as Record<string, number>;
      return [consumer_seq, stream_seq];
    });
    found[String(consumer)] = { rest, pairs, num_ack_pending, num_redelivered, num_pending };
  }
  return found;
}

interface Info {
  readonly config: Record<string, unknown>;
  readonly created: string;
  readonly state: Record<string, number>;
}

async function info(client: BackupClient, name: string): Promise<Info> {
  return (await client.ask(`STREAM.INFO.${name}`)) as unknown as Info;
}

/** What must be the same of a stream wherever it is. */
async function essence(client: BackupClient, name: string): Promise<{ state: unknown; messages: Listed[] }> {
  const { state } = await info(client, name);
  const { messages, bytes, first_seq, last_seq, num_subjects, num_deleted } = state;
  return {
    state: { messages, bytes, first_seq, last_seq, num_subjects, num_deleted },
    messages: await client.list(name),
  };
}

const SERVERS: Readonly<Record<string, () => BackupClient>> = {
  ours: () => ours,
  "nats-server": () => theirs,
};

for (const storage of ["file", "memory"]) {
  for (const [from, source] of Object.entries(SERVERS)) {
    test(`a stream in ${storage} goes from ${from} to both, and is what it was`, async () => {
      await fill(source(), S, storage);
      const before = await essence(source(), S);
      const { created } = await info(source(), S);
      const backup = await source().backup(S, { chunk_size: 4_096 });
      assert.equal(backup.end, "204 ");
      await remove(source());
      for (const client of [theirs, ours]) {
        const answer = await client.restore(S, backup);
        assert.equal(answer.error, undefined, JSON.stringify(answer.error));
        assert.equal(answer.type, "io.nats.jetstream.api.v1.stream_create_response");
        assert.deepEqual(await essence(client, S), before);
        if (storage === "file" && from === "ours")
          assert.equal(Date.parse((await info(client, S)).created), Date.parse(created));
        // It goes on: the next message has the next number, and ids of late are known (2.15 forgets them).
        if (client === ours) {
          const known = headers();
          known.set("Nats-Msg-Id", "id 396");
          const again = await client.nc.request(`${S}.1`, "x", { headers: known, timeout: 5_000 });
          assert.deepEqual(again.json(), { stream: S, seq: 496, duplicate: true });
        }
        const next = (await client.nc.request(`${S}.1`, "x")).json() as { seq: number };
        assert.equal(next.seq, 512);
        await remove(client);
      }
    });
  }
}

for (const [from, source] of Object.entries(SERVERS)) {
  test(`consumers go with their stream from ${from} to both, and go on where they were`, async () => {
    await fill(source(), S, "file");
    await consume(source(), S);
    const before = await consumers(source(), S);
    assert.deepEqual(Object.keys(before).sort(), ["A", "D", "E"]);
    const backup = await source().backup(S);
    const without = await source().backup(S, { no_consumers: true });
    await remove(source());
    for (const client of [theirs, ours]) {
      assert.equal((await client.restore(S, backup)).error, undefined);
      assert.deepEqual(await consumers(client, S), before);
      const next = await client.nc.request(`$JS.API.CONSUMER.MSG.NEXT.${S}.E`, "", {
        timeout: 5_000,
        noMux: true,
      });
      // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>
      const [, , , , deliveries, , consumerSeq] = next.reply!.split(".");
      assert.deepEqual([deliveries, consumerSeq], ["1", "7"]);
      await remove(client);
      assert.equal((await client.restore(S, without)).error, undefined);
      assert.deepEqual(await consumers(client, S), {});
      await remove(client);
    }
  });
}

test("what is restored is there after a start, in the files of its own", async () => {
  await fill(theirs, S, "file");
  await consume(theirs, S);
  const before = [await essence(theirs, S), await consumers(theirs, S)];
  const backup = await theirs.backup(S);
  await remove(theirs);
  await ours.restore(S, backup);
  await ours.close();
  await server.close();
  await startOurs();
  assert.deepEqual([await essence(ours, S), await consumers(ours, S)], before);
  await remove(ours);
});

/** A small stream's configuration. */
const small = () => ({ name: S, subjects: ["s"], storage: "file", retention: "limits", num_replicas: 1 });

test("requests that cannot be served get the same answers from both", async () => {
  const requests: [subject: string, body: unknown][] = [
    ["STREAM.SNAPSHOT.NONE", { deliver_subject: "x" }],
    ["STREAM.SNAPSHOT.NONE", {}],
    ["STREAM.SNAPSHOT.T", {}],
    ["STREAM.SNAPSHOT.T", { deliver_subject: "" }],
    ["STREAM.SNAPSHOT.T", { deliver_subject: "a.*" }],
    ["STREAM.SNAPSHOT.T", { deliver_subject: "a b" }],
    ["STREAM.SNAPSHOT.T", { deliver_subject: "x", unknown: 1 }],
    ["STREAM.SNAPSHOT.T", { chunk_size: "x" }],
    [`STREAM.RESTORE.${S}`, {}],
    [`STREAM.RESTORE.${S}`, { config: { ...small(), name: "X" } }],
    [`STREAM.RESTORE.${S}`, { config: 5 }],
    [`STREAM.RESTORE.${S}`, { config: { ...small(), unknown: 5 } }],
    [`STREAM.RESTORE.${S}`, { config: { ...small(), subjects: ["a b"] } }],
    [`STREAM.RESTORE.${S}`, { config: { ...small(), discard_new_per_subject: true } }],
    [`STREAM.RESTORE.${S}`, { config: { ...small(), max_bytes: 2 ** 60 } }],
    ["STREAM.RESTORE.T", { config: { ...small(), name: "T" } }],
  ];
  for (const client of [theirs, ours]) {
    assert.equal((await client.ask("STREAM.CREATE.T", { name: "T", subjects: ["t"] })).error, undefined);
  }
  for (const [subject, body] of requests) {
    assert.deepEqual(
      await ours.ask(subject, body),
      await theirs.ask(subject, body),
      `${subject} ${JSON.stringify(body)}`,
    );
  }
  for (const client of [theirs, ours]) await client.ask("STREAM.DELETE.T");
});

test("damaged snapshots get an error from both, and leave nothing", async () => {
  await fill(theirs, S, "file");
  const backup = await theirs.backup(S);
  await remove(theirs);
  const { bytes } = backup;
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1] ^= 1;
  const damaged: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    noise: Buffer.from("no snapshot at all, but some bytes"),
    "cut short": bytes.subarray(0, bytes.length - 500),
    flipped,
  };
  for (const [name, each] of Object.entries(damaged)) {
    const errors: unknown[] = [];
    for (const client of [theirs, ours]) {
      const { error } = await client.restore(S, { ...backup, bytes: each }, 20_000);
      errors.push(error);
      assert.equal(error?.err_code, 10062, name);
      if (client === theirs) await remove(client);
    }
    // Where it is damaged within, nats-server's words say how far it was.
    if (each.length < 100) assert.deepEqual(errors[1], errors[0], name);
    assert.equal((await ours.ask(`STREAM.INFO.${S}`)).error !== undefined, true);
  }
  // The name is free again.
  assert.equal((await ours.restore(S, backup)).error, undefined);
  await remove(ours);
});

test("while a stream is restored its name and subjects are taken, and nobody sees it; what is not finished leaves no trace", async () => {
  await fill(theirs, S, "file");
  const backup = await theirs.backup(S);
  await remove(theirs);
  const { config, state } = backup;
  const begun = await ours.ask(`STREAM.RESTORE.${S}`, { config, state });
  assert.equal(begun.error, undefined, JSON.stringify(begun.error));
  const to = begun.deliver_subject as string;
  assert.match(to, /^\$JS\.SNAPSHOT\.RESTORE\.S\d+\.\w{22}$/);
  const half = await ours.nc.request(to, backup.bytes.subarray(0, backup.bytes.length >> 1));
  assert.equal(half.data.length, 0);
  const { error } = await ours.ask(`STREAM.INFO.${S}`);
  assert.equal((error as unknown as { err_code: number }).err_code, 10059);
  const codes = [];
  for (const [subject, body] of [
    [`STREAM.CREATE.${S}`, { name: S, subjects: [`${S}.>`] }],
    ["STREAM.CREATE.T", { name: "T", subjects: [`${S}.1`] }],
    [`STREAM.RESTORE.${S}`, { config, state }],
  ] as const) {
    codes.push(((await ours.ask(subject, body)).error as unknown as { err_code: number }).err_code);
  }
  assert.deepEqual(codes, [10058, 10065, 10130]);
  await ours.close();
  await server.close();
  await startOurs();
  assert.equal(
    ((await ours.ask(`STREAM.INFO.${S}`)).error as unknown as { err_code: number }).err_code,
    10059,
  );
  const files = await readdir(join(folder, "ours"), { recursive: true });
  assert.deepEqual(
    files.filter((file) => file.split("/").some((part) => nameOf(part.split(".")[0]) === S)),
    [],
  );
  assert.equal((await ours.restore(S, backup)).error, undefined);
  await remove(ours);
});

test("both tell of snapshots and of what is restored", async () => {
  const told: unknown[][] = [];
  for (const client of [theirs, ours]) {
    const events: Record<string, unknown>[] = [];
    const listening = client.nc.subscribe("$JS.EVENT.ADVISORY.STREAM.>", {
      callback: (_, message) => {
        const { id, timestamp, start, end, client: who, ...event } = message.json<Record<string, unknown>>();
        assert.match(String(id), /^\w{22}$/);
        assert.ok([id, timestamp].every((value) => typeof value === "string"));
        const { state, bytes, ...rest } = event as { state?: { messages: number }; bytes?: number };
        events.push({
          ...rest,
          subject: message.subject,
          from: Object.keys(who ?? {}).filter((key) => key !== "rtt"),
          span: [typeof start, typeof end],
          messages: state?.messages,
          bytes: bytes !== undefined && bytes > 0,
        });
      },
    });
    await client.ask(`STREAM.CREATE.${S}`, small());
    await client.nc.request("s", "hello");
    const backup: Backup = await client.backup(S);
    await remove(client);
    await client.restore(S, backup);
    await client
      .restore(S, { ...backup, config: { ...backup.config, name: `${S}b`, subjects: ["s2"] } })
      .catch(() => {});
    await remove(client);
    // When each comes is left to chance where one does not follow from the other.
    await until(() => events.length >= 8, "all is told");
    listening.unsubscribe();
    told.push(events.sort((one, other) => (String(one.subject) < String(other.subject) ? -1 : 1)));
  }
  assert.deepEqual(told[1], told[0]);
});
