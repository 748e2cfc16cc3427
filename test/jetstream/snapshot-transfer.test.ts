import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkReceiver, type ChunkTarget } from "../../src/jetstream/snapshot/chunk-receiver.ts";
import { ChunkSender, chunking } from "../../src/jetstream/snapshot/chunk-sender.ts";
import { SnapshotError } from "../../src/jetstream/snapshot/errors.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { settle, VirtualClock } from "../support/simulated.ts";

const text = (bytes: Uint8Array | string | undefined): string =>
  typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);

/** The server's client in an account, with one receiver that the test plays. */
class Client {
  readonly sent: { subject: string; headers: string; payload: string; reply: string }[] = [];
  listening = true;
  #handlers = new Map<string, (message: Message) => void>();
  #changed: () => void = () => {};

  publish(subject: string, headers: Uint8Array | undefined, payload: string | Uint8Array, reply = ""): void {
    this.sent.push({ subject, headers: text(headers), payload: text(payload), reply });
  }

  subscribe(subject: string, handler: (message: Message) => void): () => void {
    this.#handlers.set(subject, handler);
    return () => this.#handlers.delete(subject);
  }

  watchInterest(_subject: string, changed: () => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => {};
    };
  }

  hasInterest(): boolean {
    return this.listening;
  }

  /** Somebody publishes; returns whether anybody heard. */
  hear(subject: string, payload = "", reply?: string): boolean {
    const handler = this.#handlers.get(subject);
    const message = new Message(new Slab());
    message.setValue(subject, reply, undefined, payload);
    handler?.(message);
    return handler !== undefined;
  }

  listen(on: boolean): void {
    this.listening = on;
    this.#changed();
  }
}

async function* chunksOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(chunk);
}

function sender(client: Client, clock: VirtualClock, inFlight: number): ChunkSender {
  return new ChunkSender({ client, clock, deliver: "to", acks: "ack", size: 4, inFlight });
}

test("sizes of chunks and windows are kept within nats-server's limits", () => {
  for (const [chunk, window, size, inFlight] of [
    [0, 0, 131_072, 64],
    [1, 0, 1_024, 8_192],
    [2 ** 30, 0, 1_048_576, 8],
    [4_096, 1, 4_096, 1],
    [1_024, 2 ** 40, 1_024, 32_768],
    [-5, -5, 1_024, 1],
  ]) {
    assert.deepEqual(chunking(chunk, window), { size, inFlight });
  }
});

test("chunks go out as they are acknowledged, the last without a reply, then the end", async () => {
  const client = new Client();
  const done = sender(client, new VirtualClock(), 2).send(chunksOf("aaaa", "bbbb", "cccc", "dd"));
  await settle();
  assert.deepEqual(
    client.sent.map(({ payload, reply }) => [payload, reply]),
    [
      ["aaaa", "ack.4.1"],
      ["bbbb", "ack.4.2"],
    ],
  );
  // Acknowledgements beyond those that are due open nothing more.
  client.hear("ack.>");
  await settle();
  assert.equal(client.sent.length, 3);
  client.hear("ack.>");
  assert.equal(await done, "");
  const [, , , last, end] = client.sent;
  assert.deepEqual(last, { subject: "to", headers: "", payload: "dd", reply: "" });
  assert.deepEqual(end, { subject: "to", headers: "NATS/1.0 204\r\n\r\n", payload: "", reply: "" });
});

test("a receiver that does not acknowledge, goes away, or never comes is told and given up", async () => {
  const cases: [
    (client: Client, clock: VirtualClock) => void | Promise<void>,
    error: string,
    status: string,
  ][] = [
    [(_, clock) => clock.advance(5_000), "no flow response", "NATS/1.0 408 No Flow Response\r\n\r\n"],
    [(client) => client.listen(false), "no interest", "NATS/1.0 408 No Interest\r\n\r\n"],
  ];
  for (const [happens, error, status] of cases) {
    const client = new Client();
    const clock = new VirtualClock();
    let ended = false;
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield* chunksOf("aaaa");
      } finally {
        ended = true;
      }
    };
    const done = sender(client, clock, 1).send(chunks());
    await settle();
    await happens(client, clock);
    assert.equal(await done, error);
    assert.equal(client.sent.at(-1)!.headers, status);
    assert.equal(ended, true);
    assert.equal(client.hear("ack.>"), false);
  }
  const client = new Client();
  const clock = new VirtualClock();
  client.listening = false;
  const late = sender(client, clock, 1).send(chunksOf("aaaa"));
  await settle();
  await clock.advance(1_999);
  client.listen(true);
  assert.equal(await late, "");
  client.listening = false;
  const never = sender(client, clock, 1).send(chunksOf("aaaa"));
  await settle();
  await clock.advance(2_000);
  assert.equal(await never, "no interest");
});

test("what goes wrong with a snapshot is told as a status on one line", async () => {
  const client = new Client();
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunksOf("aaaa");
    throw new SnapshotError("couldn't load\r\nmessage 5");
  };
  assert.equal(await sender(client, new VirtualClock(), 5).send(failing()), "couldn't load\r\nmessage 5");
  assert.equal(client.sent.at(-1)!.headers, "NATS/1.0 500 couldn't load message 5\r\n\r\n");
});

/** Notes what comes, and holds each chunk until it is let go. */
class Target implements ChunkTarget {
  readonly calls: string[] = [];
  #release: (error?: Error) => void = () => {};

  async chunk(bytes: Uint8Array): Promise<void> {
    this.calls.push(`chunk ${text(bytes)}`);
    await new Promise<void>((resolve, reject) => {
      this.#release = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  async complete(): Promise<string> {
    this.calls.push("complete");
    return "all";
  }

  async failed(error: unknown): Promise<string> {
    this.calls.push(`failed ${error}`);
    return "error";
  }

  stalled(): void {
    this.calls.push("stalled");
  }

  async release(error?: Error): Promise<void> {
    this.#release(error);
    await settle();
  }
}

function receiver(): { client: Client; clock: VirtualClock; target: Target; it: ChunkReceiver } {
  const client = new Client();
  const clock = new VirtualClock();
  const target = new Target();
  const it = new ChunkReceiver({ client, clock, subject: "in", target, needsReply: "no reply" });
  return { client, clock, target, it };
}

test("chunks are used one after the other, each answered when it has been; the empty one is the end", async () => {
  const { client, clock, target } = receiver();
  for (const [payload, reply] of [
    ["a", "r1"],
    ["b", "r2"],
    ["", "r3"],
  ])
    client.hear("in", payload, reply);
  assert.deepEqual(target.calls, ["chunk a"]);
  // However long it takes: it is not the client that is slow.
  await clock.advance(60_000);
  await target.release();
  assert.deepEqual(target.calls, ["chunk a", "chunk b"]);
  await target.release();
  assert.deepEqual(target.calls, ["chunk a", "chunk b", "complete"]);
  assert.deepEqual(
    client.sent.map(({ subject, payload }) => [subject, payload]),
    [
      ["r1", ""],
      ["r2", ""],
      ["r3", "all"],
    ],
  );
  assert.equal(client.hear("in", "c", "r4"), false);
});

test("a client that is silent for 5 s is given up, one that is slow is not", async () => {
  const { client, clock, target } = receiver();
  await clock.advance(4_999);
  client.hear("in", "a", "r1");
  await target.release();
  await clock.advance(4_999);
  assert.deepEqual(target.calls, ["chunk a"]);
  await clock.advance(1);
  assert.deepEqual(target.calls, ["chunk a", "stalled"]);
  assert.equal(client.hear("in", "b", "r2"), false);
});

test("a chunk that fails, and one without a reply, end it at once, with one answer at most", async () => {
  const failing = receiver();
  failing.client.hear("in", "a", "r1");
  failing.client.hear("in", "b", "r2");
  await failing.target.release(new Error("bad"));
  assert.deepEqual(failing.target.calls, ["chunk a", "failed Error: bad"]);
  assert.deepEqual(
    failing.client.sent.map(({ subject, payload }) => [subject, payload]),
    [["r1", "error"]],
  );
  const mute = receiver();
  mute.client.hear("in", "a");
  await settle();
  assert.deepEqual(mute.target.calls, ["failed Error: no reply"]);
  assert.equal(mute.client.sent.length, 0);
  // What is under way when it is ended from outside is not answered.
  const ended = receiver();
  ended.client.hear("in", "a", "r1");
  ended.it.end();
  await ended.target.release(new Error("closed"));
  assert.deepEqual(ended.target.calls, ["chunk a"]);
  assert.equal(ended.client.sent.length, 0);
});
