import { messageOf } from "../../protocol/message-of.ts";
import { subjectsCollide } from "../../protocol/subject.ts";
import { encodeText } from "../../protocol/text.ts";
import { DiskError } from "../../seams/disk.ts";
import { API_LEVEL } from "../../seams/version.ts";
import { StorageError } from "../../storage/errors.ts";
import type { StreamStore } from "../../storage/store.ts";
import * as events from "../api/events.ts";
import { apiError } from "../errors.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { type Timestamp, timestampOf } from "../json/timestamps.ts";
import { isSupported, requiredLevel } from "../metadata.ts";
import type { StorageType, StreamConfig, StreamConfigRequest } from "../stream/config.ts";
import { type CreateContext, decideCreate } from "../stream/create.ts";
import { type StreamDocument, streamDocument } from "../stream/info.ts";
import { decideRestore } from "../stream/restore.ts";
import { Stream, storageOf } from "../stream/stream.ts";
import { decideUpdate } from "../stream/update.ts";
import type { AccountContext } from "./context.ts";
import { bothOf, reservedFor } from "./reservations.ts";
import { clearRestorations, Restoration } from "./restoration.ts";
import type { Amounts } from "./usage.ts";

/** What accounts need besides their context. */
export interface AccountSetup {
  readonly context: AccountContext;
  /** What the server has reserved for the streams of all accounts, and what it may hold. */
  readonly server: { reserved(storage: StorageType): number; readonly max: Amounts };
}

/** The streams of an account. */
export class JetStreamAccount {
  readonly context: AccountContext;
  /** By name. */
  readonly streams = new Map<string, Stream>();
  /** Streams that cannot be served, and why: they are as they were, and wait for a newer server, or for help. */
  readonly offline = new Map<string, string>();
  /** Streams that are encrypted with another key: nobody sees them, and nothing becomes of them. */
  readonly #encrypted = new Set<string>();
  /** Requests that were answered, and those that were with an error. */
  readonly api = { total: 0, errors: 0 };
  readonly #setup: AccountSetup;
  /** Configurations of streams that are being made or changed: their names and subjects are taken. */
  readonly #making = new Map<string, StreamConfig>();
  readonly #restorations = new Set<Restoration>();
  /** What is being done to streams: the end waits for it. */
  readonly #running = new Set<Promise<void>>();
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor(setup: AccountSetup) {
    this.#setup = setup;
    this.context = setup.context;
  }

  #place(stream: string): string[] {
    return [this.context.name, "streams", stream];
  }

  /** Makes the streams that were stored. @throws DiskError, StorageError (rejects); ApiError when the account has ended meanwhile. */
  async recover(): Promise<void> {
    await this.#run(() => this.#recover());
    this.checkOpen();
  }

  async #recover(): Promise<void> {
    const { disk, logger } = this.context;
    await clearRestorations(disk, this.context.name, (stream) => this.#place(stream));
    for (const name of await disk.listDocuments(this.#place("").slice(0, -1))) {
      this.checkOpen();
      const bytes = await this.#read(name);
      if (this.#encrypted.has(name) || this.offline.has(name)) continue;
      const document = bytes && readDocument(bytes);
      if (document === undefined || document.config.name !== name) {
        this.#setOffline(name, "its description cannot be read");
        continue;
      }
      const { metadata } = document.config;
      if (!isSupported(metadata)) {
        const reason = `unsupported - required API level: ${requiredLevel(metadata)}, current API level: ${API_LEVEL}`;
        this.#setOffline(name, reason);
        continue;
      }
      try {
        const stream = await this.#open(document);
        logger.notice(
          `Restored ${stream.store.state.messages} messages for stream '${this.context.name} > ${name}'`,
        );
      } catch (error) {
        if (isEncrypted(error)) this.#setEncrypted(name, error);
        else this.#setOffline(name, messageOf(error));
      }
    }
  }

  /** A stream's description. One that cannot be opened, as it is encrypted, or cannot be encrypted on a full disk, is left out. */
  async #read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await this.context.disk.readDocument(this.#place(name));
    } catch (error) {
      if (isEncrypted(error)) this.#setEncrypted(name, error);
      else if (error instanceof DiskError && error.kind === "full") this.#setOffline(name, error.message);
      else throw error;
      return undefined;
    }
  }

  #setEncrypted(name: string, { message }: StorageError): void {
    this.#encrypted.add(name);
    this.context.logger.error(`Error decrypting our stream '${this.context.name} > ${name}': ${message}`);
  }

  /** The streams that were stored begin their work. Mirrors and sources ask the API for what they need. */
  start(): void {
    for (const stream of this.streams.values()) stream.start();
  }

  #setOffline(name: string, reason: string): void {
    this.offline.set(name, reason);
    this.context.logger.error(`Stream '${this.context.name} > ${name}' is offline: ${reason}`);
  }

  async #open(document: StreamDocument): Promise<Stream> {
    const stream = await this.#openIn(document);
    this.streams.set(document.config.name, stream);
    return stream;
  }

  /** @param store - when it is open already. */
  #openIn({ config, created }: StreamDocument, store?: StreamStore): Promise<Stream> {
    const { context } = this;
    const place = this.#place(config.name);
    return Stream.open({ account: context, config, created, place, store });
  }

  /** @throws ApiError when the account has ended, or does. */
  checkOpen(): void {
    if (this.#ended) throw apiError(10008);
  }

  /** A stream by name. @throws ApiError that there is none, or that it is offline. */
  stream(name: string): Stream {
    const stream = this.streams.get(name);
    if (stream !== undefined) return stream;
    const reason = this.offline.get(name);
    throw reason === undefined ? apiError(10059) : apiError(10194, { err: reason });
  }

  /** The streams that have a subject in common with `subject` ("" for all), by name. */
  filtered(subject: string): Stream[] {
    const all = [...this.streams.values()].sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
    if (subject === "") return all;
    return all.filter(({ config }) => config.subjects.some((ours) => subjectsCollide(ours, subject)));
  }

  /** Serves a request for a stream. @throws ApiError */
  create(subjectName: string, request: StreamConfigRequest): Promise<Stream> {
    return this.#run(() => this.#create(subjectName, request));
  }

  async #create(subjectName: string, request: StreamConfigRequest): Promise<Stream> {
    const { config, exists } = decideCreate(subjectName, request, this.#createContext());
    if (this.offline.has(config.name) || this.#making.has(config.name)) throw apiError(10058);
    if (this.#encrypted.has(config.name)) throw apiError(10049, { err: "error creating store for stream" });
    if (exists) return this.stream(config.name);
    this.#making.set(config.name, config);
    try {
      const stream = await this.#make(config);
      this.checkOpen();
      stream.start();
      for (const { origins } of this.streams.values()) origins.appeared(config.name);
      this.#tell(config.name, "create");
      return stream;
    } finally {
      this.#making.delete(config.name);
    }
  }

  async #make(config: StreamConfig): Promise<Stream> {
    const { context } = this;
    const document = { config, created: timestampOf(context.clock.now()) };
    const storage = storageOf(context, config);
    const place = this.#place(config.name);
    try {
      // What a deletion that was cut short has left must not come back.
      await storage.deleteAll(place);
      await this.#write(document);
      return await this.#open(document);
    } catch (error) {
      context.logger.error(
        `Stream create failed for '${context.name} > ${config.name}': ${messageOf(error)}`,
      );
      await storage.deleteDocument(place).catch(() => {});
      throw apiError(10049, { err: "error creating store for stream" });
    }
  }

  /** Begins to restore a stream. @throws ApiError */
  restore(subjectName: string, given: StreamConfig): Restoration {
    this.checkOpen();
    const config = decideRestore(subjectName, given, this.#createContext());
    const { name } = config;
    if (this.offline.has(name) || this.#encrypted.has(name)) throw apiError(10130);
    this.#making.set(name, config);
    const restoration = new Restoration({
      context: this.context,
      config,
      place: this.#place(name),
      make: async (document, store) => {
        await this.#write(document);
        return this.#openIn(document, store);
      },
      run: (work) => this.#run(work),
      publish: (stream) => {
        this.checkOpen();
        this.streams.set(name, stream);
        stream.start();
        this.#tell(name, "create");
      },
      ended: () => {
        this.#making.delete(name);
        this.#restorations.delete(restoration);
      },
    });
    this.#restorations.add(restoration);
    return restoration;
  }

  async #write(document: StreamDocument): Promise<void> {
    const bytes = encodeText(streamDocument.write(document));
    await storageOf(this.context, document.config).writeDocument(this.#place(document.config.name), bytes);
  }

  /** Serves a request to change a stream. @throws ApiError */
  update(subjectName: string, request: StreamConfigRequest): Promise<Stream> {
    return this.#run(() => this.#update(subjectName, request));
  }

  async #update(subjectName: string, request: StreamConfigRequest): Promise<Stream> {
    const existing = this.streams.get(subjectName);
    const config = decideUpdate(
      subjectName,
      request,
      this.#createContext(),
      () => existing?.consumers.existing().map(({ name, config }) => ({ ...config, name })) ?? [],
    );
    const stream = this.stream(config.name);
    this.#making.set(config.name, bothOf(stream.config, config));
    let settled: Promise<void>;
    try {
      await this.#write({ config, created: stream.created });
      settled = stream.configure(config);
    } catch (error) {
      throw apiError(10069, { err: messageOf(error) });
    } finally {
      this.#making.delete(config.name);
    }
    await settled;
    this.#tell(config.name, "modify");
    return stream;
  }

  /** Deletes a stream. @throws ApiError */
  delete(name: string): Promise<void> {
    return this.#run(() => this.#delete(name));
  }

  async #delete(name: string): Promise<void> {
    const { context } = this;
    if (this.offline.has(name)) {
      await context.disk.deleteDocument(this.#place(name));
      await context.disk.deleteAll(this.#place(name));
      this.offline.delete(name);
      return;
    }
    const stream = this.stream(name);
    try {
      // Without its description what is left of a stream is nothing.
      await storageOf(context, stream.config).deleteDocument(this.#place(name));
      await stream.delete();
    } catch (error) {
      throw apiError(10050, { err: messageOf(error) });
    } finally {
      if (stream.closed) this.streams.delete(name);
    }
    this.#tell(name, "delete");
  }

  /** Does something that the end waits for. @throws ApiError (rejects) when it has begun. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.checkOpen();
    const result = work();
    const done = result.then(
      () => {},
      () => {},
    );
    this.#running.add(done);
    try {
      return await result;
    } finally {
      this.#running.delete(done);
    }
  }

  #tell(name: string, action: "create" | "delete" | "modify"): void {
    const word = { create: "CREATED", delete: "DELETED", modify: "UPDATED" }[action];
    this.context.tell(`$JS.EVENT.ADVISORY.STREAM.${word}.${name}`, (stamp) =>
      events.streamAction(stamp, name, action),
    );
  }

  #createContext(): CreateContext {
    const { context } = this;
    const { reserved, max } = this.#setup.server;
    const configs = this.#configs();
    return {
      server: context.serverLimits,
      account: context.limits,
      streams: configs,
      streamOf: (name) => this.configOf(name),
      reservations: ({ name, storage }) => ({
        account: reservedFor(
          configs.filter((config) => config.name !== name),
          storage,
        ),
        server: reserved(storage),
        serverMax: max[storage],
      }),
    };
  }

  /** The configurations of all streams, also of those that are being made or changed. */
  #configs(): StreamConfig[] {
    const configs = new Map<string, StreamConfig>();
    for (const [name, { config }] of this.streams) configs.set(name, config);
    for (const [name, config] of this.#making) configs.set(name, config);
    return [...configs.values()];
  }

  /** The bytes that are reserved for streams by their `max_bytes`. */
  reserved(storage: StorageType): number {
    return reservedFor(this.#configs(), storage);
  }

  /** The configuration of a stream, also of one that is being made. */
  configOf(name: string): StreamConfig | undefined {
    return this.streams.get(name)?.config ?? this.#making.get(name);
  }

  /** Ends all streams, once what is being done to them has come to its end; what is in files stays there. */
  close(): Promise<void> {
    this.#ended = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const restoration of this.#restorations) restoration.interrupt();
    await Promise.all(this.#running);
    await Promise.all([...this.#restorations].map((restoration) => restoration.close()));
    await Promise.all([...this.streams.values()].map((stream) => stream.close()));
    this.context.client.close();
  }
}

function readDocument(bytes: Uint8Array): { config: StreamConfig; created: Timestamp } | undefined {
  try {
    return decodeJson(streamDocument, bytes);
  } catch (error) {
    if (error instanceof RequestJsonError) return undefined;
    throw error;
  }
}

/** Whether something cannot be opened as it is encrypted with another key. */
function isEncrypted(error: unknown): error is StorageError {
  return error instanceof StorageError && error.code === "encrypted";
}
