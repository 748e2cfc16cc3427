import { performance } from "node:perf_hooks";
import type { Msg, NatsConnection } from "@nats-io/nats-core";

/** Messages from one connection to another. */
export interface Fan {
  /** Bytes of a payload; at least 1. */
  readonly size: number;
  readonly count: number;
  /** Messages between two flushes, over a network, where one more batch than has been flushed is on its way. */
  readonly batch?: number;
  /** Reads with `for await` instead of a callback. */
  readonly iterate?: boolean;
}

/** Messages between two flushes, when the load does not say: a publisher that never waits would measure how memory fills. */
const BATCH = 512;
const SUBJECT = "bench";
/** What each payload begins with: a subscriber that adds them up knows that it has read each. */
const FIRST_BYTE = 7;

/**
 * The load for clients, whichever library and link they are of: publishes, has the subscriber read each
 * payload, and counts what was read in a second. A tenth goes before to warm up.
 * @throws Error when what was read is not what was published.
 */
export async function fan(
  publisher: NatsConnection,
  subscriber: NatsConnection,
  load: Fan,
): Promise<{ rate: number }> {
  const reader = new Reader();
  if (load.iterate) void readAll(subscriber, reader);
  else subscriber.subscribe(SUBJECT, { callback: (_error, msg) => reader.read(msg) });
  await subscriber.flush();

  await round(publisher, reader, load, Math.ceil(load.count / 10));
  const start = performance.now();
  await round(publisher, reader, load, load.count);
  return { rate: load.count / ((performance.now() - start) / 1000) };
}

async function readAll(subscriber: NatsConnection, reader: Reader): Promise<void> {
  for await (const msg of subscriber.subscribe(SUBJECT)) reader.read(msg);
}

async function round(publisher: NatsConnection, reader: Reader, load: Fan, count: number): Promise<void> {
  const { size, batch = BATCH } = load;
  const payload = new Uint8Array(size).fill(FIRST_BYTE);
  const all = reader.expect(count);
  // Over a network the next batch is published while the one before is on its way: else the wait would be what is measured.
  const ahead = load.batch !== undefined;
  let before: Promise<void> = Promise.resolve();
  for (let sent = 0; sent < count; ) {
    const end = Math.min(count, sent + batch);
    for (; sent < end; sent++) publisher.publish(SUBJECT, payload);
    const flushed = publisher.flush();
    await (ahead ? before : flushed);
    before = flushed;
  }
  await all;
  if (reader.first !== count * FIRST_BYTE || reader.bytes !== count * size) {
    throw new Error(`the subscriber read ${reader.bytes} bytes, not ${count * size}, or others`);
  }
}

/** Reads messages and tells when all have come. */
class Reader {
  /** The sum of the first bytes, and of the lengths. */
  first = 0;
  bytes = 0;
  #missing = 0;
  #done: () => void = () => {};

  expect(count: number): Promise<void> {
    this.first = 0;
    this.bytes = 0;
    this.#missing = count;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  read(msg: Msg): void {
    const data = msg.data;
    this.first += data[0];
    this.bytes += data.length;
    if (--this.#missing === 0) this.#done();
  }
}
