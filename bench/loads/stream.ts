/**
 * The load for JetStream over TCP: raw sockets and prepared bytes, no client library, the same for every server. It runs in a
 * process of its own. `stream.ts <port> <case as JSON>` prints the result as JSON.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { type FoundMessage, LineReader } from "./lines.ts";
import { Peer } from "./peer.ts";

/** One load. */
export interface StreamLoad {
  /**
   * `publish`: messages are published and acknowledged. `get`: the last message of a subject is asked for, directly. `consume`:
   * a pull consumer gets all messages, by batches.
   */
  readonly kind: "publish" | "get" | "consume";
  readonly storage: "file" | "memory";
  readonly size: number;
  /** Messages published, gets made, or messages that are there to be consumed. */
  readonly count: number;
  /** Connections that publish. */
  readonly publishers?: number;
  /** How many publishes, or gets, each connection has under way. */
  readonly together?: number;
  /** How many subjects are published on, in turn. */
  readonly subjects?: number;
  /** How many messages the stream keeps of each subject; without it, all. */
  readonly history?: number;
  /** `consume`: what is acknowledged, in what order (after each batch). */
  readonly acks?: "none" | "in order" | "random order";
  readonly retention?: "limits" | "workqueue";
  /** `consume`: only one subject is asked for, which each so many-th message is on. */
  readonly filterEvery?: number;
}

const STREAM = "BENCH";
const BATCH = 500;
const INBOX = "_INBOX.bench";
/** A new connection for each question to the API: it is not part of what is measured. */
async function api(
  port: number,
  request: string,
  body: object | undefined,
): Promise<Record<string, unknown>> {
  const peer = await Peer.open(port);
  await peer.say(`SUB ${INBOX}.api 1\r\n`);
  const text = body === undefined ? "" : JSON.stringify(body);
  const answer = await new Promise<string>((resolve) => {
    const reader = new LineReader(({ bytes, start, end }) => resolve(bytes.toString("utf8", start, end)));
    peer.onData = (bytes) => reader.read(bytes);
    peer.socket.write(`PUB $JS.API.${request} ${INBOX}.api ${text.length}\r\n${text}\r\n`);
  });
  peer.quit();
  if (answer === "") throw new Error(`nobody answers ${request}`);
  return JSON.parse(answer) as Record<string, unknown>;
}

async function ask(port: number, request: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await api(port, request, body);
  if (answer.error !== undefined) throw new Error(`${request}: ${JSON.stringify(answer.error)}`);
  return answer;
}

/** Subjects have one length, so that messages do. */
function subjectOf(i: number, load: StreamLoad): string {
  const { filterEvery, subjects = 1 } = load;
  if (filterEvery !== undefined && i % filterEvery === 0) return "bench.filter";
  return `bench.${String(i % subjects).padStart(6, "0")}`;
}

async function makeStream(port: number, load: StreamLoad): Promise<void> {
  await api(port, `STREAM.DELETE.${STREAM}`, undefined);
  await ask(port, `STREAM.CREATE.${STREAM}`, {
    name: STREAM,
    subjects: ["bench.>"],
    retention: load.retention ?? "limits",
    storage: load.storage,
    discard: "old",
    num_replicas: 1,
    max_consumers: -1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    max_msgs_per_subject: load.history ?? -1,
    allow_direct: true,
  });
}

/** Sends messages of one length, a window of them at a time, until each of them has been answered. */
class Sender {
  readonly #peer: Peer;
  readonly #bytes: Buffer;
  readonly #length: number;
  readonly #total: number;
  readonly #ring: number;
  #sent = 0;
  #answered = 0;
  #done: () => void = () => {};

  /** @param ring - how many messages there are in `bytes`, before the first ones come again. */
  constructor(peer: Peer, bytes: Buffer, ring: number, total: number) {
    this.#peer = peer;
    this.#bytes = bytes;
    this.#ring = ring;
    this.#length = bytes.length / ring;
    this.#total = total;
  }

  async run(window: number): Promise<void> {
    await this.#peer.say(`SUB ${INBOX}.${this.#peer.socket.localPort}.* 1\r\n`);
    let answers = 0;
    const reader = new LineReader(({ status, bytes, start, end }) => {
      // An error comes first in an acknowledgement: {"error".
      if (status || (bytes[start] === 0x7b && bytes[start + 2] === 0x65))
        throw new Error(`an answer says ${bytes.toString("utf8", start, end)}`);
      answers += 1;
    });
    const finished = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    this.#peer.onData = (bytes) => {
      reader.read(bytes as Buffer);
      this.#answered += answers;
      const more = Math.min(answers, this.#total - this.#sent);
      answers = 0;
      if (more > 0) this.#send(more);
      if (this.#answered === this.#total) this.#done();
    };
    this.#send(Math.min(window, this.#total));
    await finished;
  }

  #send(count: number): void {
    for (let left = count; left > 0; ) {
      const at = this.#sent % this.#ring;
      const now = Math.min(left, this.#ring - at);
      this.#peer.socket.write(this.#bytes.subarray(at * this.#length, (at + now) * this.#length));
      this.#sent += now;
      left -= now;
    }
  }
}

/** Each connection's own inbox is in its messages. */
function publishes(load: StreamLoad, peer: Peer, ring: number): Buffer {
  const payload = "x".repeat(load.size);
  const inbox = `${INBOX}.${peer.socket.localPort}.1`;
  const texts = Array.from(
    { length: ring },
    (_, i) => `PUB ${subjectOf(i, load)} ${inbox} ${load.size}\r\n${payload}\r\n`,
  );
  return Buffer.from(texts.join(""), "latin1");
}

async function publish(port: number, load: StreamLoad, count: number): Promise<{ rate: number }> {
  const { publishers = 1, together = 1000 } = load;
  const each = Math.ceil(count / publishers);
  const ring = Math.max(1000, load.subjects ?? 1, load.filterEvery ?? 1);
  const senders: Sender[] = [];
  const peers: Peer[] = [];
  for (let i = 0; i < publishers; i++) {
    const peer = await Peer.open(port);
    peers.push(peer);
    senders.push(new Sender(peer, publishes(load, peer, ring), ring, each));
  }
  const start = performance.now();
  await Promise.all(senders.map((sender) => sender.run(together)));
  const seconds = (performance.now() - start) / 1000;
  for (const peer of peers) peer.quit();
  return { rate: (each * publishers) / seconds };
}

async function gets(port: number, load: StreamLoad): Promise<{ rate: number }> {
  const { together = 100, subjects = 1 } = load;
  await publish(port, { ...load, publishers: 1, together: 1000 }, subjects);
  const peer = await Peer.open(port);
  const inbox = `${INBOX}.${peer.socket.localPort}.1`;
  const texts = Array.from(
    { length: subjects },
    (_, i) => `PUB $JS.API.DIRECT.GET.${STREAM}.${subjectOf(i, load)} ${inbox} 0\r\n\r\n`,
  );
  const bytes = Buffer.from(texts.join(""), "latin1");
  const start = performance.now();
  await new Sender(peer, bytes, subjects, load.count).run(together);
  const seconds = (performance.now() - start) / 1000;
  peer.quit();
  return { rate: load.count / seconds };
}

const ANSWER = Buffer.from(" 4\r\n+ACK\r\n");

/** The acknowledgements of a batch. */
class Answers {
  readonly #peer: Peer;
  readonly #shuffled: boolean;
  #bytes = Buffer.allocUnsafe(256 * 1024);
  #used = 0;
  #count = 0;
  readonly #ends: number[] = [];

  constructor(peer: Peer, shuffled: boolean) {
    this.#peer = peer;
    this.#shuffled = shuffled;
  }

  /** Writes one for a message. */
  add({ bytes, replyStart, replyEnd }: FoundMessage): void {
    this.#used += this.#bytes.write("PUB ", this.#used, "latin1");
    this.#used += bytes.copy(this.#bytes, this.#used, replyStart, replyEnd);
    this.#used += ANSWER.copy(this.#bytes, this.#used);
    this.#count += 1;
    if (this.#shuffled) this.#ends.push(this.#used);
  }

  /** Sends what was written. */
  send(): void {
    if (this.#count === 0) return;
    let written = this.#bytes.subarray(0, this.#used);
    if (this.#shuffled) {
      const parts = this.#ends.map((end, i) => written.subarray(i === 0 ? 0 : this.#ends[i - 1], end));
      shuffle(parts);
      written = Buffer.concat(parts);
    }
    this.#peer.socket.write(written);
    // What is being sent must stay as it is.
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length);
    this.#used = this.#count = this.#ends.length = 0;
  }
}

async function consume(port: number, load: StreamLoad): Promise<{ rate: number }> {
  const { acks = "in order", filterEvery } = load;
  await publish(port, { ...load, publishers: 1, together: 1000 }, load.count);
  const expected = filterEvery === undefined ? load.count : Math.ceil(load.count / filterEvery);
  await ask(port, `CONSUMER.CREATE.${STREAM}.bench`, {
    stream_name: STREAM,
    config: {
      name: "bench",
      durable_name: "bench",
      deliver_policy: "all",
      ack_policy: acks === "none" ? "none" : "explicit",
      ack_wait: 30_000_000_000,
      max_ack_pending: acks === "none" ? undefined : 10_000,
      replay_policy: "instant",
      filter_subject: filterEvery === undefined ? undefined : "bench.filter",
      mem_storage: acks === "none",
    },
  });
  const peer = await Peer.open(port);
  await peer.say(`SUB ${INBOX}.pull 1\r\n`);
  const body = JSON.stringify({ batch: BATCH, expires: 20_000_000_000 });
  const pull = `PUB $JS.API.CONSUMER.MSG.NEXT.${STREAM}.bench ${INBOX}.pull ${body.length}\r\n${body}\r\n`;
  const answers = new Answers(peer, acks === "random order");
  let received = 0;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    const reader = new LineReader((message) => {
      if (message.status) throw new Error("a status came instead of a message");
      received += 1;
      if (acks !== "none") answers.add(message);
      if (received % BATCH === 0) peer.socket.write(pull);
      if (acks === "random order" && (received % BATCH === 0 || received === expected)) answers.send();
    });
    peer.onData = (bytes) => {
      reader.read(bytes as Buffer);
      if (acks === "in order") answers.send();
      if (received === expected) resolve();
    };
    // One batch comes while the next is asked for.
    peer.socket.write(pull + pull);
  });
  if (acks !== "none") await acknowledged(port);
  const seconds = (performance.now() - start) / 1000;
  peer.quit();
  return { rate: expected / seconds };
}

/** Acknowledgements may still be looked at when all messages have come. */
async function acknowledged(port: number): Promise<void> {
  const until = performance.now() + 10_000;
  for (;;) {
    const { num_ack_pending: left } = await ask(port, `CONSUMER.INFO.${STREAM}.bench`);
    if (left === 0) return;
    if (performance.now() > until) throw new Error(`${left} are not acknowledged`);
  }
}

/** The same order each time. */
function shuffle(list: unknown[]): void {
  let state = 1;
  for (let i = list.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const j = state % (i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
}

async function run(port: number, load: StreamLoad): Promise<{ rate: number }> {
  await makeStream(port, load);
  if (load.kind === "publish") return publish(port, load, load.count);
  return load.kind === "get" ? gets(port, load) : consume(port, load);
}

const [port, json] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await run(Number(port), JSON.parse(json) as StreamLoad))}\n`);
process.exit(0);
