import type { KnownConsumer, KnownStream, Model } from "./model.ts";
import type { Operations } from "./operations.ts";
import type { World } from "./world.ts";

const API = "$JS.API";
const NO_STREAM = 10059;
const NO_CONSUMER = 10014;
const NO_MESSAGE = 10037;
const TIMEOUT_MS = 2_000;
/** How often a consumer is asked until it has nothing more. */
const MOST_ROUNDS = 200;

// biome-ignore lint/suspicious/noExplicitAny: answers of the API, each with fields of its own
type Answer = any;

/** Looks at all streams and consumers, with no fault in the way, and compares with the model. */
export class Auditor {
  readonly #world: World;
  readonly #model: Model;

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
  }

  /** Asks; time passes until there is an answer. */
  async #ask(subject: string, body: object = {}): Promise<Answer> {
    return (await this.#askAll([{ subject: `${API}.${subject}`, body }]))[0];
  }

  async #askAll(requests: readonly { subject: string; body: object }[]): Promise<Answer[]> {
    const { connection } = this.#world.clients[0];
    let waiting = requests.length;
    const failures: unknown[] = [];
    const answers: Answer[] = [];
    for (const [i, { subject, body }] of requests.entries()) {
      connection.request(subject, JSON.stringify(body), { timeout: TIMEOUT_MS }).then(
        (answer) => {
          answers[i] = JSON.parse(answer.string());
          waiting -= 1;
        },
        (error) => failures.push(`${subject}: ${error}`),
      );
    }
    while (waiting > 0 && failures.length === 0) await this.#world.clock.advance(5);
    this.#model.demand(failures.length === 0, () => `no answer to ${failures[0]}`);
    return answers;
  }

  /** After a start. */
  async audit(): Promise<void> {
    for (const stream of this.#model.streams) await this.#auditStream(stream);
    const { errors } = this.#world;
    this.#model.demand(errors.length === 0, () => `the server says: ${errors[0]}`);
  }

  async #auditStream(stream: KnownStream): Promise<void> {
    const { name } = stream;
    const info = await this.#ask(`STREAM.INFO.${name}`);
    const there = info.error === undefined;
    this.#model.demand(
      there || info.error.err_code === NO_STREAM,
      () => `${name}: ${info.error.description}`,
    );
    if (stream.existence === "there") this.#model.demand(there, () => `the stream ${name} is gone`);
    if (stream.existence === "gone") this.#model.demand(!there, () => `the stream ${name} is back`);
    stream.existence = there ? "there" : "gone";
    if (!there) return;
    const { state, config } = info;
    this.#model.demand(
      config.metadata.made === String(stream.made),
      () => `${name} is number ${config.metadata.made}, not ${stream.made}`,
    );
    this.#model.demand(
      stream.limits.has(config.max_msgs),
      () => `${name} has max_msgs ${config.max_msgs}, not ${[...stream.limits]}`,
    );
    stream.limits = new Set([config.max_msgs]);
    this.#model.demand(state.lost === undefined, () => `${name} has lost ${JSON.stringify(state.lost)}`);
    const found = await this.#messages(name, state);
    this.#world.say(`${name} has ${state.first_seq} to ${state.last_seq}: ${[...found.values()].join(" ")}`);
    this.#model.compare(stream, state, found);
    for (const consumer of stream.consumers) await this.#auditConsumer(stream, consumer);
  }

  async #messages(
    name: string,
    { first_seq, last_seq }: { first_seq: number; last_seq: number },
  ): Promise<Map<number, string>> {
    const requests = [];
    for (let seq = Math.max(1, first_seq); seq <= last_seq; seq++) {
      requests.push({ subject: `${API}.STREAM.MSG.GET.${name}`, body: { seq } });
    }
    const found = new Map<number, string>();
    for (const [i, { message, error }] of (await this.#askAll(requests)).entries()) {
      const known = error === undefined || error.err_code === NO_MESSAGE;
      this.#model.demand(known, () => `${name}: ${error.description}`);
      if (message !== undefined) found.set(message.seq, atob(message.data).split(" ")[0]);
      if (message !== undefined) {
        const asked = requests[i].body.seq;
        this.#model.demand(message.seq === asked, () => `${name} gave ${message.seq} for ${asked}`);
      }
    }
    return found;
  }

  async #auditConsumer(stream: KnownStream, consumer: KnownConsumer): Promise<void> {
    const { name } = consumer;
    // All that was confirmed from the first message on must be below the floor.
    let floor = 0;
    while (consumer.confirmed.has(floor + 1)) floor += 1;
    const info = await this.#ask(`CONSUMER.INFO.${stream.name}.${name}`);
    const there = info.error === undefined;
    this.#model.demand(
      there || info.error.err_code === NO_CONSUMER,
      () => `${name}: ${info.error.description}`,
    );
    if (consumer.existence === "there") this.#model.demand(there, () => `the consumer ${name} is gone`);
    if (consumer.existence === "gone") this.#model.demand(!there, () => `the consumer ${name} is back`);
    if (consumer.existence !== "there" && there) consumer.since = this.#world.clock.now();
    consumer.existence = there ? "there" : "gone";
    if (!there) return;
    this.#model.demand(
      info.ack_floor.stream_seq >= floor,
      () => `the floor of ${name} is ${info.ack_floor.stream_seq}, below ${floor}`,
    );
    const { delivered, ack_floor, num_ack_pending, num_pending } = info;
    this.#world.say(
      `${name}: ${delivered.stream_seq}, ${ack_floor.stream_seq}, pending ${num_pending}, ${num_ack_pending}`,
    );
  }

  /** All that waits is taken and acknowledged; then nothing may be left that was never delivered. */
  async finish(operations: Operations): Promise<void> {
    for (const stream of this.#model.streams) {
      if (stream.existence !== "there") continue;
      for (const consumer of stream.consumers) {
        if (consumer.existence === "there") await this.#drain(stream, consumer, operations);
      }
      await this.#checkDelivered(stream);
    }
  }

  async #drain(stream: KnownStream, consumer: KnownConsumer, operations: Operations): Promise<void> {
    for (let round = 0; ; round++) {
      const info = await this.#ask(`CONSUMER.INFO.${stream.name}.${consumer.name}`);
      if (info.num_pending === 0 && info.num_ack_pending === 0) return;
      this.#model.demand(
        round < MOST_ROUNDS,
        () => `${consumer.name} keeps ${info.num_pending} and ${info.num_ack_pending} to itself`,
      );
      operations.fetch(stream, consumer);
      await this.#world.clock.advance(50);
    }
  }

  async #checkDelivered(stream: KnownStream): Promise<void> {
    const { state } = await this.#ask(`STREAM.INFO.${stream.name}`);
    const left = await this.#messages(stream.name, state);
    const working = stream.consumers.filter(({ existence }) => existence === "there");
    for (const [seq, id] of left) {
      // One that was asked to be removed, and was not, may have been passed over.
      const excused = this.#model.excused(stream, seq, 0);
      for (const { name, tried } of working) {
        this.#model.demand(
          excused || tried.has(seq),
          () => `${stream.name} ${seq} (${id}) never came to ${name}`,
        );
      }
      const kept = stream.retention !== "limits" && working.length > 0;
      this.#model.demand(!kept, () => `${stream.name} still has ${seq} (${id})`);
    }
  }
}
