import { API_PREFIX } from "../../src/broker/account.ts";
import { Broker } from "../../src/broker/broker.ts";
import { InternalClient } from "../../src/broker/internal-client.ts";
import type { AccountContext } from "../../src/jetstream/account/context.ts";
import { parseApiSubject } from "../../src/jetstream/api/subject.ts";
import { Consumers } from "../../src/jetstream/consumer/consumers.ts";
import type { ConsumerHost } from "../../src/jetstream/consumer/host.ts";
import { answerConsumerRequest } from "../../src/jetstream/consumer/requests.ts";
import { ApiError } from "../../src/jetstream/errors.ts";
import { shortHash } from "../../src/jetstream/short-hash.ts";
import { type StreamConfig, streamConfig } from "../../src/jetstream/stream/config.ts";
import { NO_ACCOUNT_LIMITS, NO_SERVER_LIMITS } from "../../src/jetstream/stream/context.ts";
import type { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { decodeText, encodeText } from "../../src/protocol/text.ts";
import type { Disk } from "../../src/seams/disk.ts";
import { SILENT, SwitchedLogger } from "../../src/seams/logger.ts";
import { limitsOf, traceRules } from "../../src/server/broker-rules.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle, simulatedRuntime, VirtualClock } from "./simulated.ts";

/** What a client got. */
export interface Got {
  readonly subject: string;
  readonly reply: string;
  /** The header block; "" without one. */
  readonly headers: string;
  readonly data: string;
}

/** An answer of the API. */
export type Answered = Readonly<Record<string, never>> & {
  readonly delivered: { readonly consumer_seq: number; readonly stream_seq: number };
  readonly ack_floor: { readonly consumer_seq: number; readonly stream_seq: number };
};

/** A stream on a virtual clock, the consumers of it, and a client of theirs, without a server. */
export class ConsumerHarness implements ConsumerHost {
  readonly clock: VirtualClock;
  readonly disk: Disk;
  readonly broker: Broker;
  readonly client: InternalClient;
  readonly account: AccountContext;
  readonly place = ["$G", "streams", "S"];
  config: StreamConfig;
  closed = false;
  store!: StreamStore;
  consumers!: Consumers;
  /** What was released by consumers. */
  readonly releases: number[] = [];
  #storage!: FileStorage;
  #inboxes = 0;

  private constructor(config: Partial<StreamConfig>, clock: VirtualClock, disk: Disk | undefined) {
    this.clock = clock;
    const runtime = simulatedRuntime(clock);
    this.disk = disk ?? new MemoryDisk();
    const options = resolveOptions({});
    const logger = new SwitchedLogger(SILENT, false, false);
    this.broker = new Broker({
      clock,
      random: runtime.random,
      tasks: runtime.tasks,
      logger,
      slab: new Slab(),
      limits: limitsOf(options),
      trace: traceRules(options),
      systemAccount: undefined,
      noSublistCache: false,
      info: () => {
        throw new Error("nobody connects here");
      },
    });
    this.client = new InternalClient(this.broker, this.broker.globalAccount);
    this.config = {
      ...streamConfig.zero(),
      name: "S",
      subjects: [">"],
      maxMsgs: -1,
      maxBytes: -1,
      maxMsgsPerSubject: -1,
      maxConsumers: -1,
      numReplicas: 1,
      ...config,
    };
    const own = new InternalClient(this.broker, this.broker.globalAccount);
    let events = 0;
    this.account = {
      name: "$G",
      hash: shortHash("$G"),
      client: own,
      clock,
      random: runtime.random,
      tasks: runtime.tasks,
      logger,
      domain: "",
      serverLimits: NO_SERVER_LIMITS,
      limits: NO_ACCOUNT_LIMITS,
      tell(subject: string, make: Parameters<AccountContext["tell"]>[1]) {
        if (!own.hasInterest(subject)) return;
        events += 1;
        const event = make({ id: String(events), time: clock.now(), domain: "" });
        own.publish(event.subject, undefined, event.json);
      },
    } as unknown as AccountContext;
  }

  /** @param disk - one that another harness has used before, which must be closed. */
  static async open(
    config: Partial<StreamConfig> = {},
    clock = new VirtualClock(),
    disk?: Disk,
  ): Promise<ConsumerHarness> {
    const harness = new ConsumerHarness(config, clock, disk);
    harness.#storage = await FileStorage.open("js", {
      disk: harness.disk,
      clock,
      random: harness.account.random,
      tasks: harness.account.tasks,
    });
    Object.assign(harness.account, { disk: harness.#storage, memory: harness.#storage });
    harness.store = await harness.#storage.openStream(harness.place, { sync: "always", noteAge: 0 });
    harness.store.listener = {
      synced: (seq) => harness.consumers.stored(seq),
      refused: (seq) => harness.consumers.refused(seq),
      lost: () => {},
    };
    harness.consumers = new Consumers(harness);
    await harness.consumers.open();
    return harness;
  }

  released(seq: number): void {
    this.releases.push(seq);
    if (this.config.retention === "limits") return;
    const subject = this.store.subjectOf(seq);
    if (subject !== undefined && !this.consumers.needs(seq, subject)) this.store.remove(seq);
  }

  needsChanged(): void {}

  /** Stores messages, each with its subject as its text, and lets them get to those who wait. */
  async publish(...subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      this.store.append(subject, undefined, encodeText(subject), this.clock.now());
    }
    await this.store.flush();
    await settle();
  }

  /** Asks the API; the answer without its type. */
  async request(subject: string, body: object | string = ""): Promise<Answered> {
    const address = parseApiSubject(API_PREFIX + subject)!;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    try {
      const fields = await answerConsumerRequest(this.consumers, address, encodeText(text));
      return JSON.parse(`{${fields}}`);
    } catch (error) {
      if (error instanceof ApiError) return { error: error.toJSON() } as unknown as Answered;
      throw error;
    }
  }

  /** Makes a consumer. */
  async create(name: string, config: object): Promise<Answered> {
    return this.request(`CONSUMER.CREATE.S.${name}`, {
      stream_name: "S",
      config: { ack_policy: "explicit", ...config },
    });
  }

  /** What comes on a subject from now on. */
  listen(subject: string, queue?: string): Got[] {
    const got: Got[] = [];
    this.collect(subject, got, queue);
    return got;
  }

  /** Adds what comes on a subject to a list, until the function that it gives is called. */
  collect(subject: string, into: Got[], queue?: string): () => void {
    return this.client.subscribe(subject, (message) => void into.push(asGot(message)), queue);
  }

  /** An inbox of its own, and what comes to it. */
  answered(): { readonly inbox: string; readonly got: readonly Got[]; end(): void } {
    const inbox = `_INBOX.answer.${++this.#inboxes}`;
    const got: Got[] = [];
    return { inbox, got, end: this.collect(inbox, got) };
  }

  /** Asks a pull consumer, and gives what comes back, now and later. */
  async pull(consumer: string, body: object | string = ""): Promise<Got[]> {
    const inbox = `_INBOX.${++this.#inboxes}`;
    const got = this.listen(inbox);
    this.pullTo(inbox, consumer, body);
    await this.rest();
    return got;
  }

  /** Asks a pull consumer for messages to an inbox. */
  pullTo(inbox: string, consumer: string, body: object | string = ""): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.client.publish(`$JS.API.CONSUMER.MSG.NEXT.S.${consumer}`, undefined, text, inbox);
  }

  /** Purges, as `STREAM.PURGE` does. */
  async purge({ filter = "", seq, keep }: { filter?: string; seq?: number; keep?: number }): Promise<void> {
    const wanted = filter === "" ? undefined : this.store.filter([filter]);
    await this.consumers.purging(filter, () => this.store.purge({ filter: wanted, before: seq, keep }));
    wanted?.close();
  }

  /** Acknowledges, and waits for the answer. */
  async ack({ reply }: Got, body = "+ACK"): Promise<void> {
    this.client.publish(reply, undefined, body, `_INBOX.ack`);
    await this.rest();
  }

  /** Lets everything happen that needs no time. */
  async rest(): Promise<void> {
    for (let i = 0; i < 8; i++) {
      await settle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes all; what is on disk stays. */
  async close(): Promise<void> {
    await this.consumers.close();
    this.closed = true;
    await this.#storage.close();
  }
}

function asGot(message: Message): Got {
  const { bytes, start, body, end, text } = message;
  return {
    subject: message.subjectText,
    reply: message.reply,
    headers: message.hasHeaders ? decodeText(bytes, start, body) : "",
    data: text ?? decodeText(bytes, body, end),
  };
}
