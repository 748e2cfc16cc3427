import { API_PREFIX } from "../../broker/account.ts";
import type { Ending } from "../../broker/internal-client.ts";
import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import type { StoredMessage, StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import { DirectMessageWriter, type InBatch } from "../api/direct-message.ts";
import {
  DIRECT_STATUS,
  endOfBatch,
  MAX_MULTI_LAST,
  type MessageGet,
  readDirectGet,
} from "../api/message-get.ts";
import { storedFromMs } from "../json/timestamps.ts";
import { byteLength } from "../names.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { BatchPace } from "./batch-pace.ts";
import type { StreamConfig } from "./config.ts";

/** The stream that gets are answered for. */
export interface ReadStream {
  readonly account: AccountContext;
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  /** Something went wrong. @param what - was being done. */
  failed(what: string, error: unknown): void;
  settled(): Promise<void> | undefined;
}

/** The queue group of all who answer for a stream, mirrors too. */
const QUEUE = "_sys_";
/** The most bytes in answer to one request that does not say (nats-server `max_pending`). */
const MAX_BYTES = 64 * 1024 * 1024;

/** A get that asks for nothing special. */
const PLAIN = { noHdr: false };

/** Answers gets of a stream's messages by the messages themselves (behaviour.md D.9). */
export class DirectGets {
  readonly #stream: ReadStream;
  readonly #writer: DirectMessageWriter;
  /** By the streams that are asked for: this one, and the one that it mirrors. */
  readonly #endings = new Map<string, readonly Ending[]>();

  constructor(stream: ReadStream) {
    this.#stream = stream;
    this.#writer = new DirectMessageWriter(stream.config.name);
  }

  /** Answers gets of these streams from now on, and of no others. */
  configure(streams: readonly string[]): void {
    for (const [stream, endings] of this.#endings) {
      if (streams.includes(stream)) continue;
      for (const end of endings) end();
      this.#endings.delete(stream);
    }
    for (const stream of streams)
      if (!this.#endings.has(stream)) this.#endings.set(stream, this.#listen(stream));
  }

  #listen(stream: string): readonly Ending[] {
    const { client } = this.#stream.account;
    const prefix = `${API_PREFIX}DIRECT.GET.${stream}`;
    return [
      client.subscribe(prefix, (message) => this.#answer(message, ""), QUEUE),
      client.subscribe(
        `${prefix}.>`,
        (message) => this.#answer(message, message.subject.slice(prefix.length + 1)),
        QUEUE,
      ),
    ];
  }

  stop(): void {
    this.configure([]);
  }

  #answer(message: Message, key: string): void {
    if (!message.hasReply) return;
    const { reply, bytes, body, end, text } = message;
    if (key !== "" && message.size === 0) {
      // Nearly every get, as key-value stores make them.
      this.#soon(() => this.#last(key, reply));
      return;
    }
    const payload = text === undefined ? bytes.slice(body, end) : encodeText(text);
    const level = message.hasHeaders
      ? (readHeaders(bytes.subarray(message.start, body)).get(HEADERS.requiredApiLevel) ?? "")
      : "";
    const { get, refused } = readDirectGet(key, payload, level);
    if (get === undefined) {
      this.#say(reply, refused);
      return;
    }
    this.#soon(() => {
      this.#serve(get, reply)?.catch((error) => this.#unreadable(reply, error));
    });
  }

  /** What was published before is read, too: that is on disk soon. */
  #soon(serve: () => void): void {
    const wait = this.#stream.settled();
    if (wait === undefined) serve();
    else wait.then(serve, serve);
  }

  #last(key: string, reply: string): void {
    if (this.#stream.closed) return;
    const found = lastOn(this.#stream.store, key);
    if (!(found instanceof Promise)) {
      this.#one(found, PLAIN, reply);
      return;
    }
    found.then(
      (message) => this.#one(message, PLAIN, reply),
      (error) => this.#unreadable(reply, error),
    );
  }

  /** Not "not found", as nats-server says: whoever asks would take what is there for gone. */
  #unreadable(reply: string, error: unknown): void {
    if (this.#stream.closed) return;
    this.#stream.failed("direct get", error);
    this.#say(reply, DIRECT_STATUS.unreadable());
  }

  #serve(get: MessageGet, reply: string): Promise<void> | undefined {
    if (this.#stream.closed) return undefined;
    if (get.multiLast.length > 0) return this.#multi(get, reply);
    if (get.batch > 0) return this.#batch(get, reply);
    const found = findMessage(this.#stream.store, get);
    if (found instanceof Promise) return found.then((message) => this.#one(message, get, reply));
    this.#one(found, get, reply);
    return undefined;
  }

  #one(message: StoredMessage | undefined, get: Pick<MessageGet, "noHdr">, reply: string): void {
    if (message === undefined) this.#say(reply, DIRECT_STATUS.notFound());
    else this.#send(reply, message, get, undefined);
  }

  async #batch(get: MessageGet, reply: string): Promise<void> {
    const { store, account } = this.#stream;
    const pace = new BatchPace(account.client, account.clock, reply);
    const filter = store.filter(get.nextBySubj === "" ? [] : [get.nextBySubj]);
    try {
      let seq = get.startTime === undefined ? get.seq : store.seqAt(storedFromMs(get.startTime));
      const counted = await store.count(filter, Math.max(1, seq));
      const most = get.maxBytes || MAX_BYTES;
      let pending = counted.count;
      let lastSeq = 0;
      let bytes = 0;
      for (let i = 0; i < get.batch && (i === 0 || bytes < most); i++) {
        seq = await store.next(filter, Math.max(1, seq));
        const message = seq === 0 ? undefined : await store.get(seq);
        if (this.#stream.closed) return;
        if (message === undefined) {
          if (i > 0) break;
          this.#say(reply, DIRECT_STATUS.notFound());
          return;
        }
        if (!get.noHdr && pending > 0) pending -= 1;
        const before = { pending, lastSeq };
        const goesOn = pace.send(() => this.#send(reply, message, get, before));
        if (goesOn !== true && !(await goesOn)) return;
        lastSeq = message.seq;
        bytes += sizeOf(message);
        seq += 1;
      }
      if (store.state.lastSeq > counted.through)
        pending = (await store.count(filter, Math.max(1, seq))).count;
      this.#say(reply, endOfBatch(pending, lastSeq));
    } finally {
      filter.close();
    }
  }

  async #multi(get: MessageGet, reply: string): Promise<void> {
    const { store } = this.#stream;
    let upTo = get.upToSeq;
    if (get.upToTime !== undefined) {
      upTo = store.seqAt(storedFromMs(get.upToTime));
      if (upTo <= store.state.firstSeq) {
        this.#say(reply, DIRECT_STATUS.noResults());
        return;
      }
      upTo -= 1;
    }
    if (upTo === 0) upTo = store.state.lastSeq;
    const filter = store.filter(get.multiLast);
    try {
      const found = await store.lastOfEach(filter, upTo, MAX_MULTI_LAST);
      if (found === undefined) {
        this.#say(reply, DIRECT_STATUS.tooMany());
        return;
      }
      if (found.length === 0) {
        this.#say(reply, DIRECT_STATUS.noResults());
        return;
      }
      // Those before the sequence that is asked for are passed over: that is another thing than none at all.
      await this.#multiFound(
        found.filter((seq) => seq >= get.seq),
        upTo,
        get,
        reply,
      );
    } finally {
      filter.close();
    }
  }

  async #multiFound(found: readonly number[], upTo: number, get: MessageGet, reply: string): Promise<void> {
    const { store, account } = this.#stream;
    const pace = new BatchPace(account.client, account.clock, reply);
    const most = get.maxBytes || MAX_BYTES;
    let pending = found.length;
    let lastSeq = 0;
    let bytes = 0;
    let sent = 0;
    for (const seq of found) {
      const message = await store.get(seq);
      if (this.#stream.closed) return;
      if (message === undefined) {
        this.#say(reply, DIRECT_STATUS.notFound());
        return;
      }
      pending -= 1;
      const before = { pending, lastSeq };
      const goesOn = pace.send(() => this.#send(reply, message, PLAIN, before));
      if (goesOn !== true && !(await goesOn)) return;
      lastSeq = seq;
      bytes += sizeOf(message);
      sent += 1;
      if (bytes >= most || (get.batch > 0 && sent >= get.batch)) break;
    }
    this.#say(reply, endOfBatch(pending, lastSeq, upTo));
  }

  #send(
    reply: string,
    message: StoredMessage,
    { noHdr }: Pick<MessageGet, "noHdr">,
    batch: InBatch | undefined,
  ): void {
    const { client } = this.#stream.account;
    if (noHdr) {
      client.publish(reply, undefined, message.payload);
      return;
    }
    const writer = this.#writer;
    writer.write(message, batch);
    client.publishBlock(reply, writer.bytes, writer.body, writer.end);
  }

  #say(reply: string, status: Uint8Array): void {
    this.#stream.account.client.publish(reply, status, EMPTY);
  }
}

function sizeOf({ subject, headers, payload }: StoredMessage): number {
  return byteLength(subject) + (headers?.length ?? 0) + payload.length;
}

/** The message that a request for one asks for; undefined when there is none. */
export function findMessage(
  store: StreamStore,
  get: MessageGet,
): StoredMessage | undefined | Promise<StoredMessage | undefined> {
  const { lastBySubj, nextBySubj, startTime } = get;
  const seq = startTime === undefined ? get.seq : store.seqAt(storedFromMs(startTime));
  if (seq > 0 && nextBySubj === "") return store.get(seq);
  if (nextBySubj === "") return lastOn(store, lastBySubj);
  const filter = store.filter([nextBySubj]);
  const found = store.next(filter, Math.max(1, seq));
  if (found instanceof Promise) return found.then((at) => getAt(store, at)).finally(() => filter.close());
  filter.close();
  return getAt(store, found);
}

function lastOn(
  store: StreamStore,
  pattern: string,
): StoredMessage | undefined | Promise<StoredMessage | undefined> {
  const there = store.subject(pattern);
  if (there !== undefined) return store.get(there.lastSeq);
  const filter = store.filter([pattern]);
  if (filter.literal !== undefined) {
    filter.close();
    return undefined;
  }
  const found = store.previous(filter, store.state.lastSeq);
  if (found instanceof Promise) return found.then((at) => getAt(store, at)).finally(() => filter.close());
  filter.close();
  return getAt(store, found);
}

function getAt(
  store: StreamStore,
  seq: number,
): StoredMessage | undefined | Promise<StoredMessage | undefined> {
  return seq === 0 ? undefined : store.get(seq);
}
