/** Streams in encrypted files, by the options of the server and with the official client. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import type { Runtime } from "../../src/seams/runtime.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import type { JetStreamOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { simulatedRuntime } from "../support/simulated.ts";
import { type Backup, BackupClient } from "../support/snapshots.ts";
import { until } from "../support/waiting.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-encryption-"));
  folders.push(folder);
  return folder;
}

const KEY = "marked-secret-one";
const NEXT_KEY = "marked-secret-two";

const start = (storeDir: string, options: JetStreamOptions, more: ServerOptions = {}): Promise<NatsServer> =>
  NatsServer.start({ listen: { host: "127.0.0.1", port: 0 }, jetstream: { storeDir, ...options }, ...more });

async function withClient<T>(server: NatsServer, use: (nc: NatsConnection) => Promise<T>): Promise<T> {
  const nc = await connect({ port: server.port });
  try {
    return await use(nc);
  } finally {
    await nc.close();
  }
}

/** All files below a folder: path and content. */
function filesOf(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = names.filter((each) => each.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return new Map(paths.map((path) => [path, readFileSync(path)]));
}

function assertSecret(folder: string): void {
  const files = [...filesOf(folder)];
  assert.ok(files.length > 8);
  for (const [path, content] of files) {
    assert.ok(!/marked|durable_name|max_deliver/i.test(content.toString("latin1")), path);
  }
}

/** Streams, a consumer with acknowledgements, a bucket, the ids of messages. */
async function fill(nc: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nc);
  const js = jetstream(nc);
  await manager.streams.add({
    name: "ORDERS",
    subjects: ["marked.orders.>"],
    description: "marked description",
  });
  await manager.streams.add({ name: "SMALL", subjects: ["marked.small"], compression: "s2" as never });
  const head = headers();
  head.set("Marked-Header", "marked value");
  for (let i = 1; i <= 20; i++) {
    await js.publish(`marked.orders.${i}`, `marked payload ${i}`, { headers: head, msgID: `marked-id-${i}` });
    await js.publish("marked.small", `marked small ${i}`);
  }
  await manager.consumers.add("ORDERS", { durable_name: "worker", ack_policy: AckPolicy.Explicit });
  const consumer = await js.consumers.get("ORDERS", "worker");
  for (let i = 1; i <= 5; i++) {
    const message = await consumer.next();
    if (i !== 3) await message!.ackAck();
  }
  const bucket = await new Kvm(js).create("bucket");
  await bucket.put("marked-key", "marked value");
  await bucket.put("gone", "marked value");
  await bucket.purge("gone");
}

async function check(nc: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nc);
  const js = jetstream(nc);
  const { state, config } = await manager.streams.info("ORDERS");
  assert.deepEqual([state.messages, config.description], [20, "marked description"]);
  const message = await manager.streams.getMessage("ORDERS", { seq: 7 });
  assert.equal(message!.subject, "marked.orders.7");
  assert.equal(message!.string(), "marked payload 7");
  assert.equal(message!.header.get("Marked-Header"), "marked value");
  assert.equal((await manager.streams.getMessage("SMALL", { seq: 20 }))!.string(), "marked small 20");
  const again = await js.publish("marked.orders.7", "x", { msgID: "marked-id-7" });
  assert.ok(again.duplicate, "ids are known");
  const { ack_floor, num_ack_pending } = await manager.consumers.info("ORDERS", "worker");
  assert.deepEqual([ack_floor.stream_seq, num_ack_pending], [2, 1]);
  const bucket = await new Kvm(js).open("bucket");
  assert.equal((await bucket.get("marked-key"))!.string(), "marked value");
  assert.equal((await bucket.get("gone"))!.operation, "PURGE");
}

for (const cipher of ["chacha", "aes"] as const) {
  it(`${cipher}: all is there after a restart, and after the files were copied while it ran; no file says any of it`, async () => {
    const folder = newFolder();
    const copy = newFolder();
    const options = { encryptionKey: KEY, cipher };
    {
      await using server = await start(folder, options);
      await withClient(server, fill);
      await withClient(server, check);
      assertSecret(folder);
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith("storage.lock") });
    }
    assertSecret(folder);
    for (const each of [folder, copy]) {
      await using server = await start(each, options);
      await withClient(server, check);
      assertSecret(each);
    }
  });
}

it("a store that was there is encrypted, gets another key and another cipher, and is not opened with the keys before", async () => {
  const folder = newFolder();
  {
    await using server = await start(folder, {});
    await withClient(server, fill);
  }
  const steps: readonly (readonly [options: JetStreamOptions, says: RegExp | undefined])[] = [
    [{ encryptionKey: KEY }, /^notice: {3}Encrypting stream '\$G > ORDERS'$/],
    [{ encryptionKey: KEY }, undefined],
    [
      { encryptionKey: NEXT_KEY, prevEncryptionKey: KEY, cipher: "aes" },
      /^notice: {3}Converting to AES-GCM for stream '\$G > ORDERS'$/,
    ],
    [{ encryptionKey: NEXT_KEY, cipher: "aes" }, undefined],
  ];
  for (const [options, says] of steps) {
    const logger = new RecordingLogger();
    await using server = await start(folder, options, { logger, debug: true });
    await withClient(server, check);
    await until(() => {
      const segments = [...filesOf(folder).keys()].filter((path) => /\.(log|s2)$/.test(path));
      return segments.every((path) => path.includes(`.${options.cipher ?? "chacha"}.`));
    }, "all segments are converted");
    assertSecret(folder);
    const title = options.cipher === "aes" ? "AES-GCM" : "ChaCha20-Poly1305";
    assert.ok(logger.levels.includes(`notice:   Encryption:      ${title}`));
    const told = logger.levels.filter((line) => /Encrypting|Converting/.test(line));
    if (says === undefined) assert.deepEqual(told, []);
    else assert.equal(told.filter((line) => says.test(line)).length, 1);
    assert.ok(!logger.lines.some((line) => line.includes("marked-secret")), "no key is logged");
  }
  const logger = new RecordingLogger();
  const before = filesOf(folder);
  {
    await using server = await start(folder, { encryptionKey: KEY }, { logger });
    await withClient(server, async (nc) => {
      assert.equal((await nc.request("$JS.API.STREAM.NAMES")).json<{ total: number }>().total, 0);
    });
    const line = "error: Error decrypting our stream '$G > ORDERS': unable to recover keys";
    assert.ok(logger.levels.includes(line), logger.levels.join("\n"));
  }
  assert.deepEqual(filesOf(folder), before);
});

it("a stream whose key is another is not made, restored or deleted, and others are", async () => {
  const folder = newFolder();
  let backup: Backup;
  {
    await using server = await start(folder, { encryptionKey: KEY });
    await withClient(server, fill);
    await using client = await BackupClient.connect(`nats://127.0.0.1:${server.port}`);
    backup = await client.backup("ORDERS");
  }
  const before = filesOf(join(folder, "jetstream", "%24%47", "streams"));
  const ask = async (nc: NatsConnection, request: string, body: object): Promise<number> =>
    (await nc.request(`$JS.API.STREAM.${request}`, JSON.stringify(body))).json<{
      error?: { err_code: number };
    }>().error?.err_code ?? 0;
  for (const options of [{ encryptionKey: NEXT_KEY }, {}]) {
    await using server = await start(folder, options);
    await withClient(server, async (nc) => {
      assert.equal(await ask(nc, "INFO.ORDERS", {}), 10059);
      assert.equal(await ask(nc, "CREATE.ORDERS", { name: "ORDERS", subjects: ["a"] }), 10049);
      assert.equal(await ask(nc, "DELETE.ORDERS", {}), 10059);
      assert.equal(await ask(nc, "RESTORE.ORDERS", { config: backup.config, state: backup.state }), 10130);
      assert.equal(await ask(nc, "CREATE.OTHER", { name: "OTHER", subjects: ["b"] }), 0);
      assert.equal(await ask(nc, "DELETE.OTHER", {}), 0);
    });
  }
  assert.deepEqual(filesOf(join(folder, "jetstream", "%24%47", "streams")), before);
  await using server = await start(folder, { encryptionKey: KEY });
  await withClient(server, check);
});

it("a backup is not encrypted, and can be restored by a server without a key, and by one with another", async () => {
  await using from = await start(newFolder(), { encryptionKey: KEY });
  await withClient(from, fill);
  await using source = await BackupClient.connect(`nats://127.0.0.1:${from.port}`);
  const backup = await source.backup("ORDERS");
  const messages = await source.list("ORDERS");
  assert.equal(messages.length, 20);
  for (const options of [{}, { encryptionKey: NEXT_KEY }]) {
    const folder = newFolder();
    await using server = await start(folder, options);
    await using client = await BackupClient.connect(`nats://127.0.0.1:${server.port}`);
    assert.equal((await client.restore("ORDERS", backup)).error, undefined);
    assert.deepEqual(await client.list("ORDERS"), messages);
    if (options.encryptionKey !== undefined) assertSecret(folder);
  }
});

it("keys and the cipher are not changed by a reload, which says no key", async () => {
  const folder = newFolder();
  const file = join(folder, "x.conf");
  const config = (text: string): void =>
    writeFileSync(file, `jetstream { store_dir: ${JSON.stringify(folder)}, ${text} }`);
  config(`key: "${KEY}"`);
  await using server = await NatsServer.fromConfigFile(file, { listen: { host: "127.0.0.1", port: 0 } });
  for (const [text, field] of [
    [`key: "${NEXT_KEY}"`, "JetStreamKey: old={...}, new={...}"],
    [`key: "${KEY}", prev_key: "${NEXT_KEY}"`, "JetStreamOldKey: old={...}, new={...}"],
    [`key: "${KEY}", cipher: aes`, "JetStreamCipher: old=ChaCha20-Poly1305, new=AES-GCM"],
  ]) {
    config(text);
    await assert.rejects(server.reload(), {
      code: "RELOAD_FAILED",
      message: `config reload not supported for ${field}`,
    });
  }
  config(`key: "${KEY}", cipher: chachapoly`);
  await server.reload();
});

class OpenServer extends Server {
  override open(): Promise<void> {
    return super.open();
  }
}

it("where a platform cannot encrypt, the option is refused", async () => {
  const runtime = simulatedRuntime();
  const { loadCiphers } = runtime;
  const weak = async (): ReturnType<NonNullable<typeof loadCiphers>> =>
    Object.assign(await loadCiphers!(), { has: (name: string) => name === "aes" });
  const open = (options: JetStreamOptions, given: Partial<Runtime>): Promise<void> =>
    new OpenServer(checkedSettings({ jetstream: { storeDir: "data", ...options } }), {
      ...runtime,
      ...given,
    }).open();
  await assert.rejects(open({ encryptionKey: "k" }, { loadCiphers: undefined }), {
    code: "INVALID_OPTION",
    option: "jetstream.encryptionKey",
    message: 'option "jetstream.encryptionKey": this platform cannot encrypt files',
  });
  await assert.rejects(open({ encryptionKey: "k" }, { loadCiphers: weak }), {
    code: "INVALID_OPTION",
    option: "jetstream.cipher",
    message: 'option "jetstream.cipher": this platform cannot encrypt with ChaCha20-Poly1305',
  });
  await open({ encryptionKey: "k", cipher: "aes" }, { loadCiphers: weak });
  await open({}, { loadCiphers: undefined });
  for (const [options, says] of [
    [{ cipher: "des" }, /"jetstream\.cipher" must be "chacha" or "chachapoly" or "aes"/],
    [{ encryptionKey: 5 }, /"jetstream\.encryptionKey" must be a text, not a value of type number$/],
  ] as const) {
    assert.throws(() => checkedSettings({ jetstream: options as never }), {
      code: "INVALID_OPTION",
      message: says,
    });
  }
});
