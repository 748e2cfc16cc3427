import type { Ending } from "../../broker/internal-client.ts";
import { messageOf } from "../../protocol/message-of.ts";
import { EMPTY } from "../../protocol/text.ts";
import type { StorageError } from "../../storage/errors.ts";
import type { Storage } from "../../storage/storage.ts";
import type { StoreListener, StoreOptions, StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { StreamPurgeRequest } from "../api/requests.ts";
import { Consumers } from "../consumer/consumers.ts";
import type { ConsumerHost } from "../consumer/host.ts";
import type { Timestamp } from "../json/timestamps.ts";
import { Origins } from "../source/origins.ts";
import type { ReceivingStream } from "../source/receiver.ts";
import { Answers } from "./answers.ts";
import type { StreamConfig } from "./config.ts";
import { DirectGets } from "./direct-gets.ts";
import { DuplicateWindow } from "./duplicates.ts";
import { Expirer, type ExpiringStream } from "./expirer.ts";
import type { FromOrigin } from "./from-origin.ts";
import type { Incoming } from "./incoming.ts";
import { Ingest } from "./ingest.ts";
import { Republisher } from "./republisher.ts";
import { Retention } from "./retention.ts";
import { RoomKeeper } from "./room-keeper.ts";
import { Scheduler } from "./scheduler.ts";
import { SubjectRule } from "./subject-rule.ts";
import type { IngestRules } from "./writer.ts";

/** How long files may go without a sync where the stream does not want to wait for one, in ms (nats-server's `sync_interval`). */
const ASYNC_SYNC_MS = 120_000;
/** How many messages are removed in one go. */
const AT_ONCE = 1_024;

/** What a stream is made with. */
export interface StreamSetup {
  readonly account: AccountContext;
  readonly config: StreamConfig;
  readonly created: Timestamp;
  /** Where it is kept. */
  readonly place: readonly string[];
  /** Its messages, when they are open already. */
  readonly store?: StreamStore;
}

/** A stream at work: it takes messages, keeps them as its configuration says, and has consumers. */
export class Stream implements ConsumerHost, ExpiringStream, ReceivingStream {
  readonly account: AccountContext;
  readonly place: readonly string[];
  readonly created: Timestamp;
  readonly store: StreamStore;
  readonly consumers: Consumers;
  /** What it mirrors, or its sources. */
  readonly origins: Origins;
  readonly #answers: Answers;
  readonly #duplicates: DuplicateWindow;
  readonly #room: RoomKeeper;
  readonly #retention: Retention;
  readonly #ingest: Ingest;
  readonly #expirer: Expirer;
  readonly #directGets: DirectGets;
  readonly #listens = new Map<string, Ending>();
  /** Where messages may schedule others. */
  #scheduler: Scheduler | undefined;
  #config: StreamConfig;
  /** Whether it has a first sequence before it ever had a message: it was made with one, or purged. */
  #numbered: boolean;
  #closed = false;
  /** What of its bytes is in the account's usage. */
  #counted = 0;
  #signalPlanned = false;

  private constructor({ account, config, created, place }: StreamSetup, store: StreamStore) {
    this.account = account;
    this.place = place;
    this.created = created;
    this.store = store;
    this.#config = config;
    this.#numbered = config.firstSeq > 0;
    const { client, clock, random, tasks, domain } = account;
    this.#answers = new Answers(config.name, domain, client, store, tasks);
    this.#duplicates = new DuplicateWindow(store, config.duplicateWindow, random);
    this.#room = new RoomKeeper(store, config);
    this.consumers = new Consumers(this);
    this.#retention = new Retention(this, this.consumers);
    this.#expirer = new Expirer(this, clock);
    this.#directGets = new DirectGets(this);
    this.origins = new Origins(this);
    this.#ingest = new Ingest(
      {
        account,
        store,
        answers: this.#answers,
        duplicates: this.#duplicates,
        room: this.#room,
        consumers: this.consumers,
        stored: (time, ttl) => this.#stored(time, ttl),
        purge: (subject, before) => this.#purgeBelow(subject, before),
      },
      this.#rules(),
    );
    store.listener = this.#listener;
  }

  /** Opens a stream, and makes it when it is not there; it takes messages from {@link start} on. */
  static async open(setup: StreamSetup): Promise<Stream> {
    const { account, config, place } = setup;
    const options = { ...storeOptions(account, config), firstSeq: config.firstSeq || undefined };
    const store = setup.store ?? (await storageOf(account, config).openStream(place, options));
    const stream = new Stream(setup, store);
    account.usage.reserve(config.storage, Math.max(0, config.maxBytes));
    stream.#count();
    try {
      await stream.#recover();
    } catch (error) {
      await stream.#giveUp(setup.store === undefined).catch(() => {});
      throw error;
    }
    return stream;
  }

  async #recover(): Promise<void> {
    await this.#duplicates.load(this.account.clock);
    await this.origins.recover();
    // What came from other streams is not known by its ids.
    const { mirror, sources } = this.#config;
    if (mirror === undefined && sources.length === 0)
      await this.#duplicates.recover(this.account.clock.now());
    await this.consumers.open();
  }

  /** Gives back what it has, as it could not be opened. @param ours - whether the store is to be closed: it is not if others opened it. */
  async #giveUp(ours: boolean): Promise<void> {
    this.#leave();
    this.store.listener = undefined;
    this.origins.close(false);
    this.#stop();
    try {
      await this.consumers.close();
    } finally {
      if (ours) await this.store.close();
    }
  }

  get config(): StreamConfig {
    return this.#config;
  }

  /** Whether its first sequence is shown even if it never had a message. */
  get numbered(): boolean {
    return this.#numbered;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Begins to take messages, and to answer gets. */
  start(): void {
    this.#listen();
    this.#expirer.look();
    this.#expireIds();
    this.#settleLimits().catch((error) => this.failed("limits", error));
    this.#retention.lookAtWanted();
    void this.#scheduler?.find(this.store.state.lastTime);
    this.#follow();
  }

  /** Sees to what it mirrors, its sources, and the gets that it answers. */
  #follow(): void {
    this.origins.configure();
    this.caughtUp();
  }

  caughtUp(): void {
    const { allowDirect, name } = this.#config;
    const names = allowDirect ? [name] : [];
    const { answersFor } = this.origins;
    this.#directGets.configure(answersFor === undefined ? names : [...names, answersFor]);
  }

  #listen(): void {
    const wanted = new Set(this.#config.subjects);
    for (const [subject, end] of this.#listens) {
      if (wanted.has(subject)) continue;
      end();
      this.#listens.delete(subject);
    }
    for (const subject of wanted) {
      if (this.#listens.has(subject)) continue;
      const end = this.account.client.subscribe(subject, (message) => this.#ingest.take(message));
      this.#listens.set(subject, end);
    }
  }

  #rules(): IngestRules {
    const { account, config } = this;
    const { subjectTransform, republish } = config;
    return {
      schedules: this.#schedules(),
      config,
      transform:
        subjectTransform && new SubjectRule(subjectTransform.src, subjectTransform.dest, account.random),
      republisher: republish && new Republisher(config.name, republish, account.client, account.random),
    };
  }

  /** What messages are scheduled by, if the stream allows that. */
  #schedules(): Scheduler | undefined {
    const { account, store } = this;
    if (!this.#config.allowMsgSchedules || this.#scheduler !== undefined) return this.#scheduler;
    const { clock, tasks, zones } = account;
    this.#scheduler = new Scheduler({
      store,
      clock,
      tasks,
      zones,
      make: ({ subject, headers, payload }) => this.#ingest.make(subject, headers, payload),
      failed: (error) => this.failed("schedules", error),
    });
    return this.#scheduler;
  }

  failed(what: string, error: unknown): void {
    // Its end makes calls fail that are under way.
    if (this.#closed) return;
    this.account.logger.error(
      `Stream '${this.account.name} > ${this.#config.name}': ${what}: ${messageOf(error)}`,
    );
  }

  readonly #listener: StoreListener = {
    synced: (seq: number): void => {
      this.origins.synced(seq);
      this.#answers.settle(seq);
      this.#ingest.synced(seq);
      this.consumers.stored(seq);
    },
    refused: (seq: number, error: StorageError): void => {
      this.#duplicates.retract(seq);
      this.origins.refused(seq);
      this.#answers.fail(seq, error);
      this.#ingest.refused(error);
      this.#scheduler?.refused(seq);
      this.consumers.refused(seq);
      this.#expirer.refused();
      this.#count();
      this.account.logger.error(`Stream '${this.account.name} > ${this.#config.name}': ${error.message}`);
    },
    lost: (first: number, last: number): void => {
      const where = `Stream '${this.account.name} > ${this.#config.name}'`;
      this.account.logger.error(`${where}: messages ${first} to ${last} are lost to damage`);
      this.#count();
    },
  };

  /** A message was stored. */
  #stored(time: number, ttl: number): void {
    this.#count();
    const { maxAge } = this.#config;
    if (maxAge > 0) this.#expirer.due(time + maxAge);
    if (ttl > 0) this.#expirer.due(time + ttl * 1_000);
    if (this.#duplicates.size === 1) this.#expireIds();
    if (this.#signalPlanned || this.store.syncedSeq < this.store.state.lastSeq) return;
    // What is deliverable at once is told once for all that comes in one go.
    this.#signalPlanned = true;
    this.account.tasks.soon(() => {
      this.#signalPlanned = false;
      if (!this.#closed) this.consumers.stored(this.store.syncedSeq);
    });
  }

  #expireIds(): void {
    const next = this.#duplicates.nextExpiry;
    if (next !== undefined) this.#expirer.due(next);
  }

  /** Sees to it that the account's usage is what the stream holds. */
  #count(): void {
    const { bytes } = this.store.state;
    if (bytes === this.#counted || this.#closed) return;
    this.account.usage.use(this.#config.storage, bytes - this.#counted);
    this.#counted = bytes;
  }

  /** Resolves once all that was published until now is on disk; undefined when it is. */
  settled(): Promise<void> | undefined {
    return this.#answers.synced(this.store.state.lastSeq);
  }

  takeFrom(message: Incoming): void {
    this.#ingest.takeFrom(message);
  }

  // What consumers ask.

  released(seq: number): void {
    this.#retention.released(seq);
    this.#count();
  }

  needsChanged(patterns: readonly string[]): void {
    this.#retention.look(patterns);
  }

  /** Removes a message. Returns whether there was one. @param erase - whether its bytes are overwritten. */
  remove(seq: number, erase: boolean): boolean {
    const removed = this.store.remove(seq, { erase });
    this.#count();
    return removed;
  }

  /** Removes messages; resolves to how many, once that is on disk. */
  async purge(request: StreamPurgeRequest): Promise<number> {
    const { filter: pattern, seq, keep } = request;
    const filter = pattern === "" || pattern === ">" ? undefined : this.store.filter([pattern]);
    try {
      return await this.consumers.purging(pattern, async () => {
        const purged = await this.store.purge({ filter, before: seq > 0 ? seq : undefined, keep });
        if (filter === undefined) await this.#goOnAt(seq);
        if (filter === undefined && seq === 0 && keep === 0) this.#numbered = true;
        return purged;
      });
    } finally {
      filter?.close();
      this.#count();
    }
  }

  /** After a purge up to a message that is still to come, the next one is that one. */
  async #goOnAt(seq: number): Promise<void> {
    const { lastSeq } = this.store.state;
    if (seq <= lastSeq + 1 || seq > Number.MAX_SAFE_INTEGER) return;
    this.store.skip(seq - 1 - lastSeq);
    await this.store.flush();
  }

  async #purgeBelow(subject: string | undefined, before: number): Promise<void> {
    await this.purge({ filter: subject ?? "", seq: before, keep: 0 });
  }

  // What is due.

  expire(seq: number): void {
    this.remove(seq, false);
  }

  mark(subject: string, headers: Uint8Array, origin: FromOrigin): void {
    this.#ingest.bring({ subject, headers, payload: EMPTY, reply: "", sourced: true, origin });
  }

  forgetIds(now: number): number | undefined {
    this.#duplicates.expire(now);
    return this.#duplicates.nextExpiry;
  }

  // Changes and the end.

  /** Takes another configuration, which has been checked. Resolves when the stream is within its limits. */
  async configure(config: StreamConfig): Promise<void> {
    const { account, store } = this;
    const old = this.#config;
    account.usage.reserve(config.storage, Math.max(0, config.maxBytes) - Math.max(0, old.maxBytes));
    this.#config = config;
    store.configure(storeOptions(account, config));
    this.#duplicates.configure(config.duplicateWindow, account.clock.now());
    this.#room.configure(config);
    const scheduler = this.#scheduler;
    this.#ingest.configure(this.#rules());
    if (scheduler === undefined) void this.#scheduler?.find(store.state.lastTime);
    this.#listen();
    this.#follow();
    this.#expirer.look();
    this.#expireIds();
    if (old.retention !== config.retention) this.#retention.look([]);
    await this.#settleLimits();
  }

  /** Brings the stream within limits that it was not made with. */
  async #settleLimits(): Promise<void> {
    while (!this.#closed && !this.#room.settle(AT_ONCE)) {
      this.#count();
      await this.store.flush().catch(() => {});
      if (this.store.refusing !== undefined) return;
    }
    await this.#settleSubjects();
    this.#count();
  }

  async #settleSubjects(): Promise<void> {
    const { maxMsgsPerSubject: limit } = this.#config;
    if (limit <= 0 || this.#closed) return;
    const { messages, subjects } = this.store.state;
    if (messages <= subjects) return;
    const over: string[] = [];
    const all = this.store.filter([]);
    try {
      await this.store.eachSubject(all, (each) => {
        if (each.messages > limit) over.push(each.subject);
      });
    } finally {
      all.close();
    }
    for (const [i, subject] of over.entries()) {
      if (this.#closed) return;
      this.#room.keepOfSubject(subject, limit, 0);
      if (i % AT_ONCE === AT_ONCE - 1) await this.store.flush().catch(() => {});
    }
  }

  #stop(): void {
    for (const end of this.#listens.values()) end();
    this.#listens.clear();
    this.#directGets.stop();
    this.#expirer.stop();
    this.#ingest.stop();
    this.#scheduler?.stop();
  }

  #leave(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { usage } = this.account;
    usage.use(this.#config.storage, -this.#counted);
    usage.reserve(this.#config.storage, -Math.max(0, this.#config.maxBytes));
    this.#counted = 0;
  }

  /** Ends the stream; what is in files stays there. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.origins.close(false);
    this.#stop();
    await this.consumers.close();
    await this.store.close();
    this.#answers.finish();
    this.#leave();
  }

  /** Ends the stream, and deletes all that is stored of it. */
  async delete(): Promise<void> {
    if (this.#closed) return;
    this.origins.close(true);
    this.#stop();
    this.#leave();
    await this.consumers.deleteAll();
    await this.store.delete();
    await storageOf(this.account, this.#config).deleteAll(this.place);
  }
}

/** Where a stream is kept. */
export function storageOf(account: AccountContext, { storage }: StreamConfig): Storage {
  return storage === "memory" ? account.memory : account.disk;
}

/** How a stream's messages are kept. */
export function storeOptions(account: AccountContext, config: StreamConfig): StoreOptions {
  const later = account.sync === "always" ? ASYNC_SYNC_MS : account.sync;
  const { compression, duplicateWindow: noteAge } = config;
  return { sync: config.persistMode === "async" ? later : account.sync, noteAge, compression };
}
