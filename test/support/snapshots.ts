import assert from "node:assert/strict";
import { connect, createInbox, headers, type NatsConnection } from "@nats-io/transport-node";
import { consumerConfig } from "../../src/jetstream/consumer/config.ts";
import { decodeJson } from "../../src/jetstream/json/decode.ts";
import { timestampNs, timestampOf } from "../../src/jetstream/json/timestamps.ts";
import { archiveSnapshot } from "../../src/jetstream/snapshot/archive-snapshot-writer.ts";
import { compressedChunks } from "../../src/jetstream/snapshot/chunks.ts";
import type { ConsumerState } from "../../src/jetstream/snapshot/consumer-state.ts";
import type { SnapshotBounds, SnapshotConsumer } from "../../src/jetstream/snapshot/sink.ts";
import { SnapshotStream } from "../../src/jetstream/snapshot/snapshot-reader.ts";
import type { SnapshotSource } from "../../src/jetstream/snapshot/source.ts";
import { tarSnapshot } from "../../src/jetstream/snapshot/tar-snapshot-writer.ts";
import { streamConfig } from "../../src/jetstream/stream/config.ts";
import { streamState } from "../../src/jetstream/stream/state.ts";
import { encodeText } from "../../src/protocol/text.ts";
import { NodeClock } from "../../src/runtime/node/clock.ts";
import { Pacer } from "../../src/storage/pacer.ts";
import type { StreamStore } from "../../src/storage/store.ts";

/** A message, as tests compare it: bytes in base64, the time in ms with whole microseconds. */
export interface Listed {
  readonly seq: number;
  readonly time: number;
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
}

/** What a snapshot was found to hold. */
export interface ReadSnapshot {
  created: string | undefined;
  readonly messages: Map<number, Listed>;
  readonly consumers: SnapshotConsumer[];
  bounds: SnapshotBounds | undefined;
}

/** A moment in ms, without what is finer than a microsecond. */
export function timeOf(timestamp: string): number {
  return Number(timestampNs(timestamp) / 1_000n) / 1_000;
}

const base64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("base64");

/** Reads a snapshot whose bytes come in pieces of `size`. */
export function readSnapshot(bytes: Uint8Array, stream: string, size = 131_072): ReadSnapshot {
  const read: ReadSnapshot = { created: undefined, messages: new Map(), consumers: [], bounds: undefined };
  const reader = new SnapshotStream(
    { stream, account: "$G", maxMessage: 1024 * 1024, maxOfStream: -1 },
    {
      created: (time) => {
        read.created = time;
      },
      message: (seq, time, subject, headers, payload) => {
        read.messages.set(seq, { seq, time, subject, headers: base64(headers), payload: base64(payload) });
      },
      removed: (seq) => {
        read.messages.delete(seq);
      },
      consumer: (consumer) => {
        read.consumers.push(consumer);
      },
      done: (bounds) => {
        read.bounds = bounds;
        for (const seq of read.messages.keys()) if (seq < bounds.firstSeq) read.messages.delete(seq);
      },
    },
  );
  for (let at = 0; at < bytes.length; at += size) for (const _ of reader.push(bytes.subarray(at, at + size)));
  for (const _ of reader.end());
  return read;
}

/** What a store holds, in order. */
export async function listStore(store: StreamStore): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let seq = store.state.firstSeq; seq <= store.state.lastSeq; seq++) {
    const message = await store.get(seq);
    if (message === undefined) continue;
    const { time, subject, headers, payload } = message;
    all.push({ seq, time, subject, headers: base64(headers), payload: base64(payload) });
  }
  return all;
}

/** What a snapshot of a store is made of. `config` and those of consumers are as in requests. */
export function snapshotSource(
  store: StreamStore,
  config: Record<string, unknown>,
  consumers: Record<string, [config: Record<string, unknown>, state: ConsumerState]> = {},
): SnapshotSource {
  const json = (value: unknown): Uint8Array => encodeText(JSON.stringify(value));
  const { state } = store;
  const stateInfo = {
    ...streamState.zero(),
    ...state,
    firstTs: timestampOf(state.firstTime),
    lastTs: timestampOf(state.lastTime),
    lost: undefined,
    deleted: [],
    subjects: {},
  };
  return {
    stream: { ...decodeJson(streamConfig, json(config)), created: "2026-01-02T03:04:05.000006Z" },
    consumers: Object.entries(consumers).map(([name, [given, consumerState]]) => ({
      name,
      created: "2026-01-02T03:04:06Z",
      config: decodeJson(consumerConfig, json(given)),
      state: consumerState,
    })),
    store,
    closed: () => false,
    state,
    stateInfo,
    now: Date.now(),
  };
}

/** The snapshot in one of its forms. */
export async function writeSnapshot(
  source: SnapshotSource,
  form: "tar" | "archive",
  size = 131_072,
): Promise<Buffer> {
  const pacer = new Pacer(new NodeClock());
  const pieces = (form === "tar" ? tarSnapshot : archiveSnapshot)(source, pacer);
  const chunks: Uint8Array[] = [];
  for await (const chunk of compressedChunks(pieces, size, pacer)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A backup, as `nats stream backup` keeps it. */
export interface Backup {
  readonly config: Record<string, unknown>;
  readonly state: Record<string, unknown>;
  readonly bytes: Buffer;
  /** How many messages it came in, and what headers the last had. */
  readonly chunks: number;
  readonly end: string | undefined;
}

/** Speaks to a server's JetStream API as backup tools do. */
export class BackupClient {
  readonly nc: NatsConnection;

  private constructor(nc: NatsConnection) {
    this.nc = nc;
  }

  static async connect(url: string): Promise<BackupClient> {
    return new BackupClient(await connect({ servers: url }));
  }

  /** The answer to a request below `$JS.API`. */
  async ask(subject: string, body: unknown = {}): Promise<Record<string, never> & { error?: unknown }> {
    const { data } = await this.nc.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 10_000 });
    return JSON.parse(new TextDecoder().decode(data));
  }

  /** All messages that a stream has, as the server gives them one by one. */
  async list(stream: string): Promise<Listed[]> {
    const { state } = (await this.ask(`STREAM.INFO.${stream}`)) as unknown as {
      state: { first_seq: number; last_seq: number };
    };
    const all: Listed[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const { message } = (await this.ask(`STREAM.MSG.GET.${stream}`, { seq })) as {
        message?: { subject: string; hdrs?: string; data?: string; time: string };
      };
      if (message === undefined) continue;
      const { subject, hdrs = "", data = "", time } = message;
      all.push({ seq, time: timeOf(time), subject, headers: hdrs, payload: data });
    }
    return all;
  }

  async backup(stream: string, request: Record<string, unknown> = {}): Promise<Backup> {
    const inbox = createInbox();
    const chunks = this.nc.subscribe(inbox);
    const answer = await this.ask(`STREAM.SNAPSHOT.${stream}`, { deliver_subject: inbox, ...request });
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    const { config, state } = answer;
    const parts: Uint8Array[] = [];
    for await (const message of chunks) {
      if (message.data.length === 0) {
        const end = message.headers && `${message.headers.code} ${message.headers.description}`;
        return { config, state, bytes: Buffer.concat(parts), chunks: parts.length, end };
      }
      parts.push(message.data);
      message.respond();
    }
    throw new Error("the connection has ended");
  }

  /** Sends a backup, and returns the last answer. */
  async restore(
    stream: string,
    { config, state, bytes }: Pick<Backup, "config" | "state" | "bytes">,
    size = 131_072,
  ): Promise<Record<string, never> & { error?: { err_code: number; description: string } }> {
    const answer = await this.ask(`STREAM.RESTORE.${stream}`, { config, state });
    if (answer.error !== undefined) return answer as never;
    const to = answer.deliver_subject as string;
    const send = async (chunk: Uint8Array): Promise<string> => {
      const { data } = await this.nc.request(to, chunk, { timeout: 10_000 });
      return new TextDecoder().decode(data);
    };
    for (let at = 0; at < bytes.length; at += size) {
      const said = await send(bytes.subarray(at, at + size));
      if (said !== "") return JSON.parse(said);
    }
    return JSON.parse(await send(new Uint8Array(0)));
  }

  async close(): Promise<void> {
    await this.nc.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** How a stream is filled. */
export interface Filling {
  readonly messages: number;
  /** The header that every third message has, with a value that starts so. */
  readonly header: readonly [name: string, value: string];
  /** The messages that are deleted: two whose bytes stay, two whose bytes are erased. */
  readonly deleted: readonly [number, number, number, number];
}

/** Makes a stream with something of everything: headers, large and empty messages, many alike, and removed ones of each kind. */
export async function fillStream(
  client: BackupClient,
  name: string,
  storage: string,
  { messages, header, deleted }: Filling,
): Promise<void> {
  const { nc } = client;
  const ask = async (subject: string, body: unknown): Promise<void> => {
    assert.equal((await client.ask(subject, body)).error, undefined, subject);
  };
  await ask(`STREAM.CREATE.${name}`, {
    name,
    subjects: [`${name}.>`],
    storage,
    max_msgs_per_subject: 50,
    num_replicas: 1,
    first_seq: 100,
    metadata: { a: "b" },
  });
  for (let i = 0; i < messages; i++) {
    const h = headers();
    h.set(header[0], `${header[1]}${i}`);
    nc.publish(`${name}.${i % 9}`, i % 7 === 0 ? "" : `${i} `.repeat(i), i % 3 === 0 ? { headers: h } : {});
  }
  const random = new Uint8Array(300_000);
  for (let i = 0; i < random.length; i++) random[i] = (i * i * 31) >> 5;
  for (let i = 0; i < 11; i++) nc.publish(`${name}.large`, random.subarray(i));
  // The last is waited for: all are stored then.
  await nc.request(`${name}.large`, random.subarray(11), { timeout: 10_000 });
  await ask(`STREAM.PURGE.${name}`, { filter: `${name}.3` });
  await ask(`STREAM.PURGE.${name}`, { seq: 180 });
  for (const seq of deleted) await ask(`STREAM.MSG.DELETE.${name}`, { seq, no_erase: seq < deleted[2] });
}
