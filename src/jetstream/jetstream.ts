import type { Account } from "../broker/account.ts";
import type { Broker } from "../broker/broker.ts";
import { newEventId } from "../broker/event-id.ts";
import { InternalClient } from "../broker/internal-client.ts";
import type { Session } from "../broker/session.ts";
import { Turn } from "../broker/turn.ts";
import { cipherTitle } from "../seams/ciphers.ts";
import type { Clock } from "../seams/clock.ts";
import type { Disk, FileSizes } from "../seams/disk.ts";
import type { SwitchedLogger } from "../seams/logger.ts";
import type { Random } from "../seams/random.ts";
import type { Tasks } from "../seams/tasks.ts";
import type { EncryptionSetup } from "../storage/encryption.ts";
import { FileStorage } from "../storage/file-storage.ts";
import { MemoryStorage } from "../storage/memory-storage.ts";
import type { Storage } from "../storage/storage.ts";
import { JetStreamAccount } from "./account/account.ts";
import type { AccountContext } from "./account/context.ts";
import { type Amounts, Usage } from "./account/usage.ts";
import { accountInfo } from "./api/account-requests.ts";
import { Api, type ApiCall, type ApiRequest } from "./api/api.ts";
import { serveConsumers } from "./api/consumer-requests.ts";
import * as events from "./api/events.ts";
import { SNAPSHOT_REQUESTS } from "./api/snapshot-requests.ts";
import { STREAM_REQUESTS } from "./api/stream-requests.ts";
import { apiError } from "./errors.ts";
import { TimeZones } from "./publish/time-zone.ts";
import type { JetStreamAccountSettings, JetStreamSettings } from "./settings.ts";
import { shortHash } from "./short-hash.ts";
import type { StorageType } from "./stream/config.ts";
import type { AccountLimits } from "./stream/context.ts";
import { ServerBatches } from "./stream/server-batches.ts";

/** What JetStream needs of the server that it is part of. */
export interface JetStreamHost extends FileSizes {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  readonly disk: Disk;
  readonly logger: SwitchedLogger;
  /** The server's name. */
  readonly name: string;
  /** A client as events describe it; null for the server itself. */
  clientInfo(session: Session): events.ClientInfo | null;
}

/** An account's limits, which a reload changes: each message asks for them. */
interface HeldLimits {
  limits: AccountLimits;
}

/** How many names the place of a stream has. */
const STREAM_PLACE = 3;

/** JetStream on a server: the accounts that have it, their streams, and the API. */
export class JetStream {
  readonly settings: JetStreamSettings;
  /** Those whose streams are all there. */
  readonly accounts = new Map<string, JetStreamAccount>();
  /** Those whose streams are being opened: nobody can ask them for anything yet. */
  readonly #recovering = new Set<JetStreamAccount>();
  #closing: Promise<void> | undefined;
  readonly usage = new Usage();
  readonly api: Api;
  readonly #host: JetStreamHost;
  readonly #disk: Storage;
  readonly #memory: Storage;
  readonly #zones = new TimeZones();
  readonly #batches: ServerBatches;
  /** What streams may hold together. */
  readonly #max: { memory: number; file: number };
  /** The limits of accounts. */
  readonly #limits = new Map<string, HeldLimits>();

  private constructor(host: JetStreamHost, settings: JetStreamSettings, disk: Storage, memory: Storage) {
    this.#host = host;
    this.settings = settings;
    this.#batches = new ServerBatches(settings.batches);
    this.#disk = disk;
    this.#memory = memory;
    this.#max = { memory: settings.maxMemory, file: settings.maxFile };
    this.api = new Api({
      logger: host.logger,
      queueLimit: settings.requestQueueLimit,
      account: (name) => this.accounts.get(name),
      answer: (account, reply, json) => host.broker.publisher(account).publish(reply, undefined, json),
      audit: (call) => this.#audit(call),
      dropped: (account) =>
        account.context.tell("$JS.EVENT.ADVISORY.API.LIMIT_REACHED", (stamp) =>
          events.apiLimitReached(stamp, host.name, 1),
        ),
      serve: (request) => this.#serve(request),
      turn: new Turn(host.clock, host.tasks),
    });
  }

  /**
   * Opens the log, and makes the streams that are in it. Requests are answered from then on.
   * @throws StorageError, DiskError for a directory that cannot be used.
   */
  static async open(
    host: JetStreamHost,
    settings: JetStreamSettings,
    accounts: readonly JetStreamAccountSettings[],
  ): Promise<JetStream> {
    const memory = new MemoryStorage(host);
    const disk =
      settings.directory === undefined
        ? memory
        : await FileStorage.open(settings.directory, { ...host, encryption: encryptionOf(host, settings) });
    const jetstream = new JetStream(host, settings, disk, memory);
    try {
      for (const account of accounts) await jetstream.#add(account);
    } catch (error) {
      await jetstream.close();
      throw error;
    }
    for (const what of disk.damaged) host.logger.error(`JetStream: ${what}`);
    host.broker.api = jetstream.api;
    for (const account of jetstream.accounts.values()) account.start();
    return jetstream;
  }

  /**
   * An account gets JetStream, with the streams that were stored.
   * @throws StorageError, DiskError, ApiError when JetStream has ended (rejects); the account is without JetStream then.
   */
  async enable(settings: JetStreamAccountSettings): Promise<void> {
    if (this.#closing !== undefined) throw apiError(10008);
    (await this.#add(settings)).start();
  }

  async #add({ name, limits }: JetStreamAccountSettings): Promise<JetStreamAccount> {
    this.#limits.set(name, { limits });
    const account: JetStreamAccount = new JetStreamAccount({
      context: this.#contextOf(name, () => account),
      server: { reserved: (storage) => this.#reserved(storage), max: this.#max },
    });
    this.#recovering.add(account);
    try {
      await account.recover();
    } catch (error) {
      await account.close();
      throw error;
    } finally {
      this.#recovering.delete(account);
    }
    // Before, a request to create a stream that is stored would find none.
    this.accounts.set(name, account);
    return account;
  }

  #all(): JetStreamAccount[] {
    return [...this.accounts.values(), ...this.#recovering];
  }

  #reserved(storage: StorageType): number {
    return this.#all().reduce((sum, account) => sum + account.reserved(storage), 0);
  }

  /** An account does without JetStream from now on; what it has stored stays. */
  async disable(name: string): Promise<void> {
    const account = this.accounts.get(name);
    this.accounts.delete(name);
    await account?.close();
  }

  /** Changes what an account may have. */
  limit({ name, limits }: JetStreamAccountSettings): void {
    this.#limits.get(name)!.limits = limits;
  }

  /** Changes what streams may hold together. */
  resize(max: Amounts): void {
    Object.assign(this.#max, max);
  }

  #contextOf(name: string, self: () => JetStreamAccount): AccountContext {
    const { broker, clock, random, tasks, logger } = this.#host;
    const { settings, usage } = this;
    const held = this.#limits.get(name)!;
    const max = this.#max;
    const account = broker.account(name);
    const client = new InternalClient(broker, account);
    let hash: string | undefined;
    return {
      name,
      // The first consumer asks for it: an account that is just there should cost nothing.
      get hash() {
        hash ??= shortHash(name);
        return hash;
      },
      client,
      clock,
      random,
      tasks,
      logger,
      disk: this.#disk,
      memory: this.#memory,
      domain: settings.domain,
      serverLimits: settings.limits,
      get limits() {
        return held.limits;
      },
      usage: new Usage(usage),
      zones: this.#zones,
      sync: settings.sync,
      batches: this.#batches,
      maxPayload: () => broker.context.limits.maxPayload,
      isServerFull: (storage) => usage.used[storage] > max[storage],
      streamOf: (stream) => self().configOf(stream),
      createdOf: (stream) => self().streams.get(stream)?.created,
      tell: (subject, make) => {
        if (client.hasInterest(subject)) this.#tell(account, make);
      },
    };
  }

  #tell(account: Account, make: (stamp: events.EventStamp) => events.JetStreamEvent): void {
    const { clock, random, broker } = this.#host;
    const stamp = { id: newEventId(random), time: clock.now(), domain: this.settings.domain };
    const { subject, json } = make(stamp);
    broker.publisher(account).publish(subject, undefined, json);
  }

  #audit({ from, subject, request, response }: ApiCall): void {
    const { broker, name, clientInfo } = this.#host;
    if (!broker.publisher(from.account).hasInterest("$JS.EVENT.ADVISORY.API")) return;
    this.#tell(from.account, (stamp) =>
      events.apiAudit(stamp, { server: name, client: clientInfo(from), subject, request, response }),
    );
  }

  #serve(request: ApiRequest): string | Promise<string> {
    const wanted = request.address.request;
    if (wanted === "INFO") return accountInfo(request, this.api.stats.inflight - 1);
    const { strict } = this.settings;
    if (wanted.startsWith("CONSUMER.")) return serveConsumers(request, strict);
    const serve = STREAM_REQUESTS[wanted] ?? SNAPSHOT_REQUESTS[wanted];
    if (serve === undefined) throw apiError(10003);
    const { name, clientInfo } = this.#host;
    return serve(request, { name, strict, clientInfo });
  }

  /**
   * Tells those who wait for messages that the server ends, as {@link JetStream.close} alone does not: it also serves where JetStream
   * is only switched off (nats-server `signalPullConsumers`).
   */
  shutDown(): void {
    for (const account of this.accounts.values())
      for (const stream of account.streams.values()) stream.consumers.shutDown();
  }

  /** Ends all streams, and gives the directory back. May be called again, also while it runs. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { broker, logger } = this.#host;
    const served = broker.api === this.api;
    if (served) broker.api = undefined;
    if (served) logger.notice("Initiating JetStream Shutdown...");
    await Promise.all(this.#all().map((account) => account.close()));
    await this.#disk.close();
    if (served) logger.notice("JetStream Shutdown");
  }
}

/** A stream has a key, also for what belongs to it. What else is kept says no more than that a stream of a name is being restored. */
function encryptionOf(
  { logger }: JetStreamHost,
  { encryption }: JetStreamSettings,
): EncryptionSetup | undefined {
  return (
    encryption && {
      ...encryption,
      keyPlace: (place) => (place[1] === "streams" ? place.slice(0, STREAM_PLACE) : undefined),
      converting: ({ length, 0: account, 2: stream }, encrypted) => {
        if (length !== STREAM_PLACE) return;
        const what = encrypted ? `Converting to ${cipherTitle(encryption.cipher)} for` : "Encrypting";
        logger.notice(`  ${what} stream '${account} > ${stream}'`);
      },
    }
  );
}
