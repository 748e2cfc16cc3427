import type { Message } from "../../protocol/message.ts";
import { consumerAction } from "../api/events.ts";
import { apiError } from "../errors.ts";
import { timestampMs } from "../json/timestamps.ts";
import { isSupported } from "../metadata.ts";
import type { ConsumerState } from "../snapshot/consumer-state.ts";
import type { SnapshotConsumer } from "../snapshot/sink.ts";
import { type ConsumerConfig, type CreateConsumerRequest, filtersOf } from "./config.ts";
import { Consumer, type ConsumerParts } from "./consumer.ts";
import { ConsumerFiles } from "./consumer-files.ts";
import {
  type ConsumerAddress,
  type ConsumerContext,
  decideConsumer,
  type ExistingConsumer,
} from "./create.ts";
import { Departures } from "./departures.ts";
import type { ConsumerHost } from "./host.ts";
import type { ConsumerInfo } from "./info.ts";
import { randomName } from "./names.ts";
import { answerReset } from "./reset.ts";
import { decideRestoredConsumer } from "./restore.ts";
import { startingPoint } from "./starting-point.ts";
import { checkConsumerUpdate } from "./update.ts";

const NAME_LENGTH = 8;

/** The consumers of a stream. */
export class Consumers {
  readonly #host: ConsumerHost;
  readonly #files: ConsumerFiles;
  readonly #consumers = new Map<string, Consumer>();
  /** Requests that change something wait for each other. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #departures: Departures;

  constructor(host: ConsumerHost) {
    this.#host = host;
    const { account, place } = host;
    this.#departures = new Departures(host, this.#consumers);
    const lasting = (whole: boolean): Promise<void> | undefined => this.#departures.lasting(whole);
    this.#files = new ConsumerFiles(account.disk, place, account.clock, lasting);
  }

  /** Opens those that are on disk. */
  async open(): Promise<void> {
    this.#departures.open();
    if (this.#host.config.storage === "memory") return;
    for (const name of await this.#files.names()) await this.#recover(name);
  }

  async #recover(name: string): Promise<void> {
    const { account, config } = this.#host;
    const stored = await this.#files.read(name);
    const title = `Consumer '${account.name} > ${config.name} > ${name}'`;
    if (stored === undefined && (await this.#files.isDamaged(name))) {
      account.logger.error(`${title} cannot be read, and is left as it is`);
    } else if (stored === undefined) {
      // Its document was never written, or it was being deleted.
      await this.#files.delete(name);
    } else if (typeof stored === "string") {
      account.logger.error(`${title} cannot be read, and is left as it is: ${stored}`);
    } else if (!isSupported(stored.config.metadata)) {
      account.logger.warn(`${title} needs a newer server, and is left as it is`);
    } else {
      const log = await this.#files.openLog(stored.name, stored.created);
      const consumer = await this.#begin({ ...stored, log });
      const settled = consumer.state.takeReplayed();
      if (config.retention === "workqueue") await consumer.claims.releaseSettled(settled);
    }
  }

  async #begin(parts: ConsumerParts): Promise<Consumer> {
    const consumer = new Consumer(this.#host, parts, {
      abandoned: ({ consumer: name }) => void this.delete(name).catch((error) => this.#failed(error)),
      reset: (which, message) => this.#reset(which, message),
    });
    this.#consumers.set(parts.name, consumer);
    await consumer.open();
    return consumer;
  }

  #failed(error: unknown): void {
    this.#host.account.logger.error(`JetStream consumer cannot be deleted: ${String(error)}`);
  }

  /** How many there are that clients know of. */
  get count(): number {
    let count = 0;
    for (const { config } of this.#consumers.values()) if (!config.direct) count += 1;
    return count;
  }

  /** A consumer. */
  get(name: string): Consumer | undefined {
    return this.#consumers.get(name);
  }

  /** Those that clients know of, in order of their names. */
  names(): string[] {
    return [...this.#consumers.values()]
      .filter(({ config }) => !config.direct)
      .map(({ consumer }) => consumer)
      .sort();
  }

  /** All there are. */
  all(): Iterable<Consumer> {
    return this.#consumers.values();
  }

  /** Names and configurations of all there are. */
  existing(): ExistingConsumer[] {
    return [...this.#consumers.values()].map(({ consumer, config }) => ({ name: consumer, config }));
  }

  /** Those that clients know of, as the API shows them, in order of their names. */
  async infos(): Promise<ConsumerInfo[]> {
    const infos: ConsumerInfo[] = [];
    for (const name of this.names()) {
      const consumer = this.#consumers.get(name);
      if (consumer !== undefined) infos.push(await consumer.info());
    }
    return infos;
  }

  /**
   * Makes a consumer, or changes one.
   * @returns it, and what is to be shown of it.
   * @throws ApiError (rejects)
   */
  create(
    address: ConsumerAddress,
    request: CreateConsumerRequest,
  ): Promise<{ readonly consumer: Consumer; readonly info: ConsumerInfo }> {
    return this.#inTurn(() => this.#create(address, request));
  }

  async #create(
    address: ConsumerAddress,
    request: CreateConsumerRequest,
  ): Promise<{ readonly consumer: Consumer; readonly info: ConsumerInfo }> {
    const { name, config, previous } = decideConsumer(address, request, this.#context());
    const existing = this.#consumers.get(name);
    if (previous !== undefined && existing !== undefined) {
      await this.#store(existing, config);
      const before = existing.config;
      existing.configure(config);
      // As it is before anything comes of the change.
      if (config.sourcing) existing.reset(existing.state.floor.stream + 1);
      const info = existing.info();
      // nats-server tells it with each request, whether that has changed it or not.
      if (existing.paused) existing.tellPause();
      this.#host.needsChanged(filtersOf(before));
      return { consumer: existing, info: await info };
    }
    const consumer = await this.#make(name, config);
    const info = consumer.info();
    this.#tellCreated(consumer);
    return { consumer, info: await info };
  }

  #context(): ConsumerContext {
    const { account } = this.#host;
    return {
      server: account.serverLimits,
      account: account.limits,
      streamOf: (stream) => (stream === this.#host.config.name ? this.#host.config : undefined),
      consumersOf: () => this.existing(),
      isBound: (subject) => account.client.hasInterest(subject),
      newName: () => this.#newName(),
    };
  }

  #tellCreated(consumer: Consumer): void {
    const { stream, consumer: name } = consumer;
    this.#host.account.tell(`$JS.EVENT.ADVISORY.CONSUMER.CREATED.${stream}.${name}`, (stamp) =>
      consumerAction(stamp, { stream, consumer: name }, "create"),
    );
    if (consumer.paused) consumer.tellPause();
  }

  /** Makes a consumer as it was in a snapshot; those that other streams made for themselves are left out. @throws ApiError (rejects) */
  restore(saved: SnapshotConsumer): Promise<void> {
    return this.#inTurn(async () => {
      if (saved.config.direct) return;
      const { name, config } = decideRestoredConsumer(saved, this.#host.config.name, this.#context());
      const created = saved.created === undefined ? undefined : timestampMs(saved.created);
      const consumer = await this.#make(name, config, created, saved.state);
      await consumer.flush();
      this.#tellCreated(consumer);
    });
  }

  #newName(): string {
    for (;;) {
      const name = randomName(this.#host.account.random, NAME_LENGTH);
      if (!this.#consumers.has(name)) return name;
    }
  }

  async #make(
    name: string,
    config: ConsumerConfig,
    created?: number,
    restored?: ConsumerState,
  ): Promise<Consumer> {
    const { account, store } = this.#host;
    const start = await startingPoint(config, this.#host.config, store);
    const parts = { name, config, created: created ?? account.clock.now(), start, restored };
    if (!this.#isStored(config)) return this.#begin({ ...parts, log: undefined });
    try {
      // It begins behind what has gone: should that be back after a crash, it would never get it.
      await store.flush();
      const log = await this.#files.create(parts);
      return await this.#begin({ ...parts, log });
    } catch (error) {
      account.logger.error(`JetStream consumer '${name}' cannot be stored: ${String(error)}`);
      throw apiError(10012, { err: "error creating store for consumer" });
    }
  }

  #isStored(config: ConsumerConfig): boolean {
    return !config.direct && !config.memStorage && this.#host.config.storage === "file";
  }

  async #store(consumer: Consumer, config: ConsumerConfig): Promise<void> {
    if (!this.#isStored(config)) return;
    try {
      await this.#files.write({ ...consumer.parts, config });
    } catch (error) {
      this.#host.account.logger.error(`JetStream consumer cannot be stored: ${String(error)}`);
      throw apiError(10012, { err: "error creating store for consumer" });
    }
  }

  /** Changes when a consumer goes on. @throws ApiError (rejects) */
  pause(name: string, config: (old: ConsumerConfig) => ConsumerConfig): Promise<Consumer> {
    return this.#inTurn(async () => {
      const consumer = this.#consumers.get(name);
      if (consumer === undefined) throw apiError(10014);
      const wanted = config(consumer.config);
      checkConsumerUpdate(consumer.config, wanted, () => false);
      await this.#store(consumer, wanted);
      consumer.configure(wanted);
      return consumer;
    });
  }

  /** Deletes a consumer. @throws ApiError (rejects) when there is none. */
  delete(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const consumer = this.#consumers.get(name);
      if (consumer === undefined) throw apiError(10014);
      if (this.#host.closed) return;
      this.#tellDeleted(name);
      this.#consumers.delete(name);
      await consumer.delete();
      if (this.#isStored(consumer.config)) await this.#files.delete(name);
      this.#host.needsChanged(filtersOf(consumer.config));
    });
  }

  #tellDeleted(consumer: string): void {
    const { account, config } = this.#host;
    const stream = config.name;
    account.tell(`$JS.EVENT.ADVISORY.CONSUMER.DELETED.${stream}.${consumer}`, (stamp) =>
      consumerAction(stamp, { stream, consumer }, "delete"),
    );
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action, action);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #reset(consumer: Consumer, message: Message): void {
    answerReset(consumer, message);
  }

  /** Messages up to `seq` can be delivered now. */
  stored(seq: number): void {
    this.#departures.synced(seq);
    for (const consumer of this.#consumers.values()) consumer.stored(seq);
  }

  /** Messages from `seq` on have come to nothing. */
  refused(seq: number): void {
    for (const consumer of this.#consumers.values()) consumer.refused(seq);
    this.#departures.refused();
  }

  /** Removes a message that {@link needs} has said of that no consumer needs it. */
  releasing(remove: () => void): void {
    this.#departures.releasing(remove);
  }

  /** Does a purge, and has the consumers forget what is gone. @param subject - what is purged; "" for everything. */
  async purging<T>(subject: string, purge: () => Promise<T>): Promise<T> {
    try {
      return await this.#departures.purging(purge);
    } finally {
      if (!this.#host.closed) await this.#purged(subject);
    }
  }

  async #purged(subject: string): Promise<void> {
    const { store } = this.#host;
    const { firstSeq, lastSeq } = store.state;
    const filter = store.filter(subject === "" ? [] : [subject]);
    const first = subject === "" ? firstSeq : (await store.next(filter, firstSeq)) || lastSeq + 1;
    filter.close();
    for (const consumer of this.#consumers.values()) {
      if (subject === "" || consumer.claims.isWithin(subject)) consumer.claims.purged(first);
      else if (consumer.claims.wants(subject)) consumer.claims.purged(firstSeq);
    }
  }

  /** Whether any consumer still needs a message: streams that keep messages for consumers keep it then. */
  needs(seq: number, subject: string): boolean {
    for (const consumer of this.#consumers.values()) if (consumer.claims.needs(seq, subject)) return true;
    return false;
  }

  /** Whether any consumer wants messages on a subject. */
  hasInterest(subject: string): boolean {
    for (const consumer of this.#consumers.values()) if (consumer.claims.wants(subject)) return true;
    return false;
  }

  /** Tells those who wait for messages that the server ends. */
  shutDown(): void {
    for (const consumer of this.#consumers.values()) consumer.shutDown();
  }

  /** Ends all; what is on disk stays. */
  async close(): Promise<void> {
    this.#departures.close();
    await this.#turn;
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close()));
    this.#consumers.clear();
  }

  /** Ends all for ever, as the stream is deleted, which deletes the files. */
  async deleteAll(): Promise<void> {
    this.#departures.close();
    await this.#turn;
    const consumers = [...this.#consumers.values()];
    this.#consumers.clear();
    for (const { consumer } of consumers) this.#tellDeleted(consumer);
    await Promise.all(consumers.map((consumer) => consumer.delete()));
  }
}
