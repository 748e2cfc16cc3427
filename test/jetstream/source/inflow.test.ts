/** The connection to an origin that is reached by subjects alone: what it asks, what it answers, and what it does about silence. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Inflow } from "../../../src/jetstream/source/inflow.ts";
import type { InflowEnd, OriginMessage, Stretch } from "../../../src/jetstream/source/inflow-end.ts";
import { type StreamSource, streamSource } from "../../../src/jetstream/stream/source.ts";
import { decodeText, encodeText } from "../../../src/protocol/text.ts";
import { ConsumerHarness } from "../../support/consumer-harness.ts";
import { settle } from "../../support/simulated.ts";

const DELIVER = /^there\.S\.[A-Za-z0-9]{8}$/;

interface Asked {
  readonly subject: string;
  readonly reply: string;
  readonly headers: string;
  readonly body: Readonly<Record<string, never>> & { readonly config: Record<string, unknown> };
}

/** An origin that a test plays itself, and the end of a connection to it. */
class Played implements InflowEnd {
  readonly kind = "source";
  readonly title = "a source";
  readonly source: StreamSource;
  readonly account: ConsumerHarness["account"];
  readonly inflow: Inflow;
  readonly harness: ConsumerHarness;
  readonly asked: Asked[] = [];
  readonly answers: { readonly subject: string; readonly headers: string }[] = [];
  readonly taken: number[] = [];
  /** How far it is. */
  at = 0;
  /** What becomes of a message: by default it is stored. */
  become = (message: OriginMessage, stretch: Stretch): void => {
    this.at = message.seq;
    stretch.done();
  };
  onDisk: Promise<void> | undefined;
  #deliver = "";
  #consumerSeq = 0;

  private constructor(harness: ConsumerHarness, source: Partial<StreamSource>) {
    this.harness = harness;
    this.account = harness.account;
    this.source = {
      ...streamSource.zero(),
      name: "ORIGIN",
      external: { api: "other.API", deliver: "there." },
      ...source,
    };
    this.inflow = new Inflow(this);
    harness.client.subscribe("other.API.>", (message) => {
      const { subject, reply, bytes, start, body, end, text } = message;
      const payload = text ?? decodeText(bytes, body, end);
      this.asked.push({
        subject,
        reply,
        headers: message.hasHeaders ? decodeText(bytes, start, body) : "",
        body: payload === "" ? {} : JSON.parse(payload),
      });
    });
    harness.client.subscribe("flow.>", ({ subject, bytes, start, body, hasHeaders }) => {
      this.answers.push({ subject, headers: hasHeaders ? decodeText(bytes, start, body) : "" });
    });
  }

  static async start(source: Partial<StreamSource> = {}): Promise<Played> {
    const played = new Played(await ConsumerHarness.open(), source);
    played.inflow.open();
    await played.pass(0);
    return played;
  }

  consumerName(): string {
    return "JS_SRC_x";
  }
  metadata(): Readonly<Record<string, string>> {
    return { who: "me" };
  }
  beginning() {
    return this.at === 0 ? ({ from: "all" } as const) : ({ from: "seq", seq: this.at + 1 } as const);
  }
  position(): number {
    return this.at;
  }
  connected(): void {}
  take(message: OriginMessage, stretch: Stretch): void {
    this.taken.push(message.seq);
    this.become(message, stretch);
  }
  settled(): Promise<void> | undefined {
    return this.onDisk;
  }
  tick(): void {}

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.harness.clock.advance(ms);
    await settle();
  }

  /** Answers the last request. */
  async answer(answer: object): Promise<void> {
    this.harness.client.publish(this.asked.at(-1)!.reply, undefined, JSON.stringify(answer));
    await settle();
  }

  /** Says that there is a consumer. */
  async accept(ackPolicy = "none"): Promise<void> {
    const { config } = this.asked.at(-1)!.body;
    this.#deliver = String(config?.deliver_subject ?? "given");
    this.#consumerSeq = 0;
    await this.answer({
      name: "C",
      config: { deliver_subject: this.#deliver, ack_policy: ackPolicy },
      delivered: { stream_seq: this.at },
    });
  }

  /** Sends a message. @param skip - how many before it get lost. */
  async send(seq: number, skip = 0): Promise<void> {
    this.#consumerSeq += 1 + skip;
    const reply = `$JS.ACK.ORIGIN.C.1.${seq}.${this.#consumerSeq}.1700000000123456789.3`;
    this.harness.client.deliver(this.#deliver, "o.1", reply, undefined, encodeText("x"));
    await settle();
  }

  async control(headers: string, reply?: string): Promise<void> {
    this.harness.client.publish(this.#deliver, encodeText(`NATS/1.0 100 ${headers}\r\n\r\n`), "", reply);
    await settle();
  }

  /** How many requests there have been after so much time. */
  async asks(ms: number): Promise<number> {
    await this.pass(ms);
    return this.asked.length;
  }
}

describe("a connection to an origin", () => {
  it("asks for a consumer by the subjects that it was given", async () => {
    const origin = await Played.start({ filterSubject: "o.*" });
    const { subject, headers, body } = origin.asked[0];
    assert.equal(subject, "other.API.CONSUMER.CREATE.ORIGIN.JS_SRC_x.o.*");
    assert.match(headers, /Nats-Required-Api-Level: 4\r\n/);
    const { deliver_subject, ...config } = body.config;
    assert.match(String(deliver_subject), DELIVER);
    assert.deepEqual(config, {
      name: "JS_SRC_x",
      deliver_policy: "all",
      ack_policy: "none",
      ack_wait: 79_200e9,
      max_deliver: 1,
      filter_subject: "o.*",
      replay_policy: "instant",
      flow_control: true,
      idle_heartbeat: 1e9,
      inactive_threshold: 10e9,
      num_replicas: 0,
      direct: true,
      sourcing: true,
      metadata: { who: "me" },
    });
  });

  it("takes messages in order, once, and asks anew where one is missing", async () => {
    const origin = await Played.start();
    await origin.accept();
    await origin.send(3);
    await origin.send(5);
    await origin.send(5);
    assert.deepEqual(origin.taken, [3, 5]);
    assert.equal(origin.inflow.lag, 2);
    await origin.send(9, 1);
    await origin.send(10);
    assert.deepEqual(origin.taken, [3, 5]);
    assert.equal(await origin.asks(2_300), 2);
    assert.deepEqual(
      [origin.asked[1].body.config.deliver_policy, origin.asked[1].body.config.opt_start_seq],
      ["by_start_sequence", 6],
    );
    await origin.accept();
    await origin.send(6);
    assert.deepEqual(origin.taken, [3, 5, 6]);
    await origin.control("Idle Heartbeat\r\nNats-Last-Consumer: 2");
    assert.equal(await origin.asks(2_300), 3, "a heartbeat tells what is missing, too");
  });

  it("answers flow control once all is on disk, and says how far it is", async () => {
    const origin = await Played.start();
    await origin.accept();
    await origin.send(7);
    let stored = (): void => {};
    origin.onDisk = new Promise((resolve) => {
      stored = resolve;
    });
    await origin.control("FlowControl Request", "flow.1");
    await origin.control("Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Consumer-Stalled: flow.1");
    assert.equal(origin.answers.length, 0);
    stored();
    await settle();
    assert.deepEqual(origin.answers, [
      { subject: "flow.1", headers: "NATS/1.0\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 7\r\n\r\n" },
    ]);
    origin.onDisk = undefined;
    await origin.control("Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Consumer-Stalled: flow.2");
    assert.equal(origin.answers[1].subject, "flow.2", "an origin that still waits is answered again");
  });

  it("does not answer while a message is on its way into the stream, and asks nothing before it is there", async () => {
    const origin = await Played.start();
    await origin.accept();
    let waiting: Stretch | undefined;
    origin.become = (_, stretch) => {
      waiting = stretch;
    };
    await origin.send(1);
    await origin.control("FlowControl Request", "flow.1");
    assert.equal(origin.answers.length, 0);
    await origin.send(3, 1);
    assert.equal(await origin.asks(5_000), 1);
    assert.equal(waiting?.live, false);
    origin.at = 1;
    waiting?.done();
    assert.equal(await origin.asks(300), 2);
    assert.equal(origin.asked[1].body.config.opt_start_seq, 2);
  });

  it("asks anew when it hears nothing for ten seconds, and ever later while there is no answer", async () => {
    const origin = await Played.start();
    await origin.accept();
    for (let i = 0; i < 3; i++) {
      await origin.pass(9_000);
      await origin.control("Idle Heartbeat\r\nNats-Last-Consumer: 0");
    }
    assert.equal(origin.asked.length, 1);
    assert.equal(await origin.asks(12_000), 2);
    assert.equal(await origin.asks(39_000), 2);
    assert.equal(await origin.asks(2_000), 3, "30 s for the answer, 10 s more");
    assert.equal(await origin.asks(48_000), 3);
    assert.equal(await origin.asks(2_000), 4, "and 20 s more");
    await origin.answer({ error: { code: 404, err_code: 10059, description: "stream not found" } });
    assert.equal(origin.inflow.error?.errCode, 10059);
    origin.inflow.poke();
    assert.equal(await origin.asks(2_300), 5, "an origin that is there again is asked at once");
    await origin.accept();
    assert.equal(origin.inflow.error, undefined);
  });

  it("comes once more from a message on that could not be stored", async () => {
    const origin = await Played.start();
    await origin.accept();
    await origin.send(1);
    const { become } = origin;
    origin.become = (_, stretch) => stretch.failed(new (class extends Error {})() as never);
    await origin.send(2);
    await origin.send(3);
    assert.deepEqual(origin.taken, [1, 2], "those behind it are not taken");
    origin.become = become;
    assert.equal(await origin.asks(2_300), 2);
    assert.equal(origin.asked[1].body.config.opt_start_seq, 2);
  });

  it("asks a server that does not know such consumers for an ordinary one", async () => {
    const origin = await Played.start();
    await origin.answer({
      error: { code: 412, err_code: 10185, description: "JetStream minimum api level" },
    });
    assert.equal(origin.asked.length, 2);
    assert.equal(origin.asked[1].headers, "");
    assert.equal(origin.asked[1].body.config.sourcing, undefined);
    assert.match(String(origin.asked[1].body.config.name), /^JS_SRC_x_[A-Za-z0-9]{8}$/);
  });

  it("uses a consumer that it is given, and deletes the one that lasts, but never that one", async () => {
    const given = await Played.start({ consumer: { name: "C", deliverSubject: "given" } });
    assert.equal(given.asked[0].subject, "other.API.CONSUMER.RESET.ORIGIN.C");
    await given.accept("explicit");
    assert.equal(given.inflow.error?.errCode, 10217);
    assert.equal(await given.asks(13_000), 2);
    await given.accept("flow_control");
    await given.send(1);
    assert.deepEqual(given.taken, [1]);
    given.inflow.close(true);
    await settle();
    assert.equal(given.asked.length, 2);

    const lasting = await Played.start();
    await lasting.accept("flow_control");
    lasting.inflow.close(true);
    await settle();
    assert.equal(lasting.asked[1].subject, "other.API.CONSUMER.DELETE.ORIGIN.C");
    assert.equal(await lasting.asks(60_000), 2, "it is over");
  });
});
