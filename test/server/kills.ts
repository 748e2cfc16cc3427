import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import type { ClientMsg } from "../../src/client/msg.ts";
import { type Connection, connect, createInbox, headers } from "../../src/runtime/node/index.ts";
import { KnownConsumer, KnownStream, Model, type Sent } from "../simulation/model.ts";

const API = "$JS.API";
const PUBLISHERS = 3;
/** How many messages of a publisher are under way. */
const IN_FLIGHT = 20;
/** The most messages of the stream with a limit. */
const LIMIT = 400;
/** How long after it was first sent a message is sent again, in ms; ids are remembered for twice as long. */
const RESEND_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** How many messages are asked for at a time. */
const BATCH = 25;
const NO_MESSAGE = 10037;

// biome-ignore lint/suspicious/noExplicitAny: answers of the API, each with fields of its own
type Answer = any;

/** Knows what a server has confirmed that is killed again and again, and compares with what it has when it is back. */
export class KillOracle {
  readonly model: Model;
  readonly #directory: string;
  readonly #limits = new KnownStream("L", "limits", 0, [new KnownConsumer("l1", false, 0)]);
  readonly #work = new KnownStream("W", "workqueue", 0, [new KnownConsumer("w1", false, 0)]);
  readonly #interest = new KnownStream("I", "interest", 0, [
    new KnownConsumer("i1", false, 0),
    new KnownConsumer("i2", false, 0),
  ]);
  #child: ChildProcess | undefined;
  #round = 0;
  #ids = 0;
  #over = false;
  #open: Connection[] = [];
  /** What happened to no message may be sent again. */
  #unknown: { stream: KnownStream; sent: Sent }[] = [];

  /** @param directory - an empty one, for the server's files. */
  constructor(directory: string) {
    this.#directory = directory;
    this.model = new Model([this.#limits, this.#work, this.#interest], () => Date.now());
  }

  /** How many publishes and how many acknowledgements of messages were confirmed. */
  get confirmed(): { published: number; acknowledged: number } {
    const { streams } = this.model;
    const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0);
    return {
      published: sum(streams.map(({ acked }) => acked.size)),
      acknowledged: sum(streams.flatMap(({ consumers }) => consumers.map((each) => each.confirmed.size))),
    };
  }

  /** Starts the server, compares, has it do things, and kills it after so many ms. */
  async round(ms: number): Promise<void> {
    this.#round += 1;
    const port = await this.#start();
    try {
      const control = await this.#connect(port);
      if (this.#round === 1) await this.#create(control);
      else await this.#audit(control);
      this.#over = false;
      const workers = this.#workers(port);
      await new Promise((resolve) => setTimeout(resolve, ms));
      await this.#kill();
      this.#over = true;
      await Promise.all(workers);
    } finally {
      await this.#end();
    }
    if (this.model.broken !== undefined) throw this.model.broken;
  }

  /** Starts the server once more, takes all that waits, and compares. */
  async finish(): Promise<void> {
    this.#round += 1;
    const port = await this.#start();
    try {
      const control = await this.#connect(port);
      await this.#audit(control);
      for (const stream of this.model.streams) {
        for (const consumer of stream.consumers) await this.#drain(control, stream, consumer);
      }
      for (const { name, retention, acked, tried, consumers } of this.model.streams) {
        const { state } = await this.#ask(control, `STREAM.INFO.${name}`);
        if (retention !== "limits") assert.equal(state.messages, 0, `${name} is empty`);
        for (const seq of acked.keys()) {
          const there = retention !== "limits" || seq >= state.first_seq;
          if (!there) continue;
          assert.ok(tried.has(seq), `${name} ${seq} was delivered`);
          for (const each of consumers) assert.ok(each.tried.has(seq), `${name} ${seq} came to ${each.name}`);
        }
      }
    } finally {
      await this.#kill();
      await this.#end();
    }
    if (this.model.broken !== undefined) throw this.model.broken;
  }

  async #start(): Promise<number> {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", join(import.meta.dirname!, "killed-server.ts"), this.#directory],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    this.#child = child;
    return new Promise((resolve, reject) => {
      let told = "";
      child.stdout.on("data", (bytes: Buffer) => {
        told += bytes.toString();
        const port = /^port (\d+)\n/.exec(told);
        if (port !== null) resolve(Number(port[1]));
      });
      child.on("exit", () => reject(new Error("the server has ended")));
    });
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async #end(): Promise<void> {
    await this.#kill();
    await Promise.all(this.#open.splice(0).map((each) => each.close()));
  }

  async #connect(port: number): Promise<Connection> {
    const connection = await connect({ servers: `nats://127.0.0.1:${port}`, reconnect: false });
    this.#open.push(connection);
    return connection;
  }

  async #ask(connection: Connection, subject: string, body: object = {}): Promise<Answer> {
    const answer = await connection.request(`${API}.${subject}`, JSON.stringify(body), {
      timeout: TIMEOUT_MS,
    });
    return JSON.parse(answer.string());
  }

  async #create(control: Connection): Promise<void> {
    for (const stream of this.model.streams) {
      stream.reset();
      const { name, prefix, retention } = stream;
      const max = retention === "limits" ? LIMIT : -1;
      if (max > 0) stream.lowest = max;
      const made = { name, subjects: [`${prefix}.>`], retention, max_msgs: max, allow_atomic: true };
      assert.equal((await this.#ask(control, `STREAM.CREATE.${name}`, made)).error, undefined);
      for (const consumer of stream.consumers) {
        const config = {
          durable_name: consumer.name,
          ack_policy: "explicit",
          ack_wait: 2e9,
          max_ack_pending: 100_000,
        };
        const body = { stream_name: name, config };
        const { error } = await this.#ask(control, `CONSUMER.CREATE.${name}.${consumer.name}`, body);
        assert.equal(error, undefined);
        consumer.since = 0;
      }
    }
  }

  #workers(port: number): Promise<void>[] {
    const { streams } = this.model;
    const publishers = Array.from({ length: PUBLISHERS }, (_, i) =>
      this.#publish(port, streams[i % streams.length]),
    );
    const consumers = streams.flatMap((stream) =>
      stream.consumers.map((consumer) => this.#consume(port, stream, consumer)),
    );
    return [...publishers, ...consumers];
  }

  /** Whether the server is gone, or what a call was rejected with must be thrown. */
  #gone(error: unknown): void {
    if (error === this.model.broken) throw error;
  }

  async #publish(port: number, stream: KnownStream): Promise<void> {
    try {
      const connection = await this.#connect(port);
      const again = this.#unknown.filter((each) => each.stream === stream);
      this.#unknown = this.#unknown.filter((each) => each.stream !== stream);
      const recent = again.filter(({ sent }) => Date.now() - sent.at < RESEND_MS);
      await Promise.all(recent.map(({ sent }) => this.#send(connection, stream, sent)));
      while (!this.#over) {
        const sending = Array.from({ length: IN_FLIGHT }, () =>
          this.#send(connection, stream, this.#newMessage(stream)),
        );
        await Promise.all(sending);
      }
    } catch (error) {
      this.#gone(error);
    }
  }

  #newMessage(stream: KnownStream): Sent {
    const number = ++this.#ids;
    const now = Date.now();
    const sent: Sent = {
      id: `m${number}`,
      subject: `${stream.prefix}.${number % 7}`,
      at: now,
      msgId: number % 3 === 0,
      batch: undefined,
      lastAt: now,
      attempts: 0,
      refused: 0,
      ackedSeq: 0,
      ackedAt: 0,
    };
    this.model.sent.set(sent.id, sent);
    return sent;
  }

  async #send(connection: Connection, stream: KnownStream, sent: Sent): Promise<void> {
    sent.attempts += 1;
    sent.lastAt = Date.now();
    const head = headers();
    if (sent.msgId) head.set("Nats-Msg-Id", sent.id);
    const body = `${sent.id} ${"x".repeat(sent.at % 700)}`;
    let answer: Answer;
    try {
      const options = { timeout: TIMEOUT_MS, ...(sent.msgId ? { headers: head } : {}) };
      answer = JSON.parse((await connection.request(sent.subject, body, options)).string());
    } catch (error) {
      if (sent.msgId) this.#unknown.push({ stream, sent });
      throw error;
    }
    const { error } = answer;
    this.model.demand(error === undefined, () => `publish: ${error.description}`);
    this.model.acknowledged(stream, sent, answer.seq, answer.duplicate === true);
  }

  async #consume(port: number, stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    try {
      const connection = await this.#connect(port);
      while (!this.#over) await this.#fetch(connection, stream, consumer);
    } catch (error) {
      this.#gone(error);
    }
  }

  /** Takes some messages and acknowledges them, most with confirmation. @returns how many there were. */
  async #fetch(connection: Connection, stream: KnownStream, consumer: KnownConsumer): Promise<number> {
    const subject = `${API}.CONSUMER.MSG.NEXT.${stream.name}.${consumer.name}`;
    const request = JSON.stringify({ batch: BATCH, expires: 100e6 });
    const acks: Promise<void>[] = [];
    let got = 0;
    const inbox = createInbox();
    await new Promise<void>((resolve) => {
      const subscription = connection.subscribe(inbox, {
        callback: (_error, msg) => {
          if (msg.reply) acks.push(this.#acknowledge(connection, stream, consumer, msg as ClientMsg));
          if (msg.reply && ++got < BATCH) return;
          subscription.unsubscribe();
          resolve();
        },
      });
      void subscription.closed.then(() => resolve());
      connection.publish(subject, request, { reply: inbox });
    });
    await Promise.all(acks);
    return got;
  }

  async #acknowledge(
    connection: Connection,
    stream: KnownStream,
    consumer: KnownConsumer,
    msg: ClientMsg,
  ): Promise<void> {
    const [, , , , count, at] = msg.reply!.split(".");
    const seq = Number(at);
    const got = { seq, id: msg.string().split(" ")[0], count: Number(count) };
    const round = this.#round;
    this.model.delivered(stream, consumer, got, round, round);
    // Some are left to be delivered again.
    if (seq % 11 === 0 && got.count === 1) return;
    consumer.tried.add(seq);
    stream.tried.add(seq);
    if (seq % 5 === 0) {
      msg.respond("");
      return;
    }
    await connection.request(msg.reply!, "+ACK", { timeout: TIMEOUT_MS });
    if (!consumer.confirmed.has(seq)) consumer.confirmed.set(seq, { epoch: round, link: round });
  }

  async #drain(control: Connection, stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const info = await this.#ask(control, `CONSUMER.INFO.${stream.name}.${consumer.name}`);
      if (info.num_pending === 0 && info.num_ack_pending === 0) return;
      assert.ok(Date.now() < deadline, `${consumer.name} keeps something to itself: ${JSON.stringify(info)}`);
      await this.#fetch(control, stream, consumer);
    }
  }

  async #audit(control: Connection): Promise<void> {
    for (const stream of this.model.streams) {
      const { name, consumers } = stream;
      const { state, error } = await this.#ask(control, `STREAM.INFO.${name}`, { deleted_details: true });
      assert.equal(error, undefined, `${name} is there`);
      const gone = new Set<number>(state.deleted ?? []);
      assert.equal(state.lost, undefined, `${name} has lost nothing`);
      const found = new Map<number, string>();
      const wanted: Promise<void>[] = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
        if (gone.has(seq)) continue;
        wanted.push(
          this.#ask(control, `STREAM.MSG.GET.${name}`, { seq }).then(({ message, error }) => {
            if (error === undefined) found.set(seq, atob(message.data).split(" ")[0]);
            else assert.equal(error.err_code, NO_MESSAGE, `${name} ${seq}`);
          }),
        );
        if (wanted.length % 500 === 0) await Promise.all(wanted);
      }
      await Promise.all(wanted);
      this.model.compare(stream, state, found);
      for (const consumer of consumers) await this.#auditConsumer(control, stream, consumer);
      if (stream.retention !== "workqueue") continue;
      for (const seq of found.keys()) {
        assert.ok(!consumers[0].confirmed.has(seq), `${name} ${seq} is there after its acknowledgement`);
      }
    }
  }

  async #auditConsumer(control: Connection, stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    const { name, confirmed } = consumer;
    const info = await this.#ask(control, `CONSUMER.INFO.${stream.name}.${name}`);
    assert.equal(info.error, undefined, `${name} is there`);
    let floor = 0;
    while (confirmed.has(floor + 1)) floor += 1;
    assert.ok(info.ack_floor.stream_seq >= floor, `the floor of ${name}`);
  }
}
