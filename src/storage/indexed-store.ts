import { assert } from "../protocol/assert.ts";
import type { StorageError } from "./errors.ts";
import { LiveCount } from "./live-count.ts";
import { Pacer } from "./pacer.ts";
import type {
  Count,
  Maybe,
  MessageInput,
  Note,
  PurgeRequest,
  RemoveOptions,
  StoredMessage,
  StoreListener,
  StoreOptions,
  StoreWatcher,
  StreamState,
  StreamStore,
  SubjectState,
} from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";
import type { SubjectFilter } from "./subject-filter.ts";
import * as walks from "./walks.ts";

/** After so many messages a purge waits until it is on disk so far. */
const PURGE_STEP = 8192;

/** What both kinds of store have in common: all that the index alone can answer. */
export abstract class IndexedStore implements StreamStore {
  listener: StoreListener | undefined;
  /** What there is, and where. */
  protected readonly stream: StreamIndex;

  protected constructor(stream: StreamIndex) {
    this.stream = stream;
  }

  abstract readonly syncedSeq: number;
  abstract readonly refusing: StorageError | undefined;
  abstract append(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    time: number,
    ttl?: number,
  ): number;
  abstract appendBatch(messages: readonly MessageInput[]): number;
  abstract skip(count: number, time?: number): number;
  abstract flush(): Promise<void>;
  abstract get(seq: number): Maybe<StoredMessage | undefined>;
  abstract borrow(seq: number): Maybe<StoredMessage | undefined>;
  abstract accountedBytes(subject: number, headers: number, payload: number): number;
  abstract remove(seq: number, options?: RemoveOptions): boolean;
  abstract note(bytes: Uint8Array, time: number): void;
  abstract notes(): Iterable<Note>;
  abstract keep(name: string, bytes: Uint8Array): void;
  abstract kept(name: string): Uint8Array | undefined;
  abstract configure(options: StoreOptions): void;
  abstract close(): Promise<void>;
  abstract delete(): Promise<void>;
  /** Removes everything. */
  protected abstract clear(): void;

  get state(): StreamState {
    return this.stream;
  }

  has(seq: number): boolean {
    return this.stream.index.locate(seq);
  }

  subjectOf(seq: number): string | undefined {
    const { index } = this.stream;
    return index.locate(seq) ? this.stream.subjectTable.text(index.chunk.subject[index.slot]) : undefined;
  }

  timeOf(seq: number): number | undefined {
    const { index } = this.stream;
    return index.locate(seq) ? index.chunk.time[index.slot] : undefined;
  }

  bytesOf(seq: number): number {
    const { index } = this.stream;
    return index.locate(seq) ? index.chunk.bytes[index.slot] : 0;
  }

  filter(patterns: readonly string[]): SubjectFilter {
    return this.stream.filter(patterns);
  }

  next(filter: SubjectFilter, seq: number): Maybe<number> {
    return walks.nextMatch(this.stream, filter, seq);
  }

  previous(filter: SubjectFilter, seq: number): Maybe<number> {
    return walks.previousMatch(this.stream, filter, seq);
  }

  count(filter: SubjectFilter, seq: number): Maybe<Count> {
    return walks.countMatches(this.stream, filter, seq);
  }

  liveCount(filter: SubjectFilter, seq: number): LiveCount {
    return new LiveCount(this.stream, filter, seq);
  }

  watch(watcher: StoreWatcher): () => void {
    this.stream.watchers.add(watcher);
    return () => {
      this.stream.watchers.delete(watcher);
    };
  }

  countLast(filter: SubjectFilter, seq: number): Maybe<Count> {
    return walks.countLast(this.stream, filter, seq);
  }

  seqAt(time: number): number {
    return this.stream.seqAtTime(time);
  }

  subject(subject: string): SubjectState | undefined {
    return walks.subjectState(this.stream, subject);
  }

  eachSubject(filter: SubjectFilter, visit: (subject: SubjectState) => void): Promise<void> {
    return walks.eachSubject(this.stream, filter, visit);
  }

  lastOfEach(
    filter: SubjectFilter,
    upTo: number = Number.MAX_SAFE_INTEGER,
    limit: number = Number.MAX_SAFE_INTEGER,
  ): Promise<number[] | undefined> {
    return walks.lastOfEach(this.stream, filter, upTo, limit);
  }

  deleted(): Iterable<readonly [number, number]> {
    return this.stream.deletedRanges();
  }

  nextExpiry(maxAge: number, ttls: boolean): number | undefined {
    return this.stream.nextExpiry(maxAge, ttls);
  }

  expired(now: number, maxAge: number, limit: number, ttls: boolean): number[] {
    return this.stream.expired(now, maxAge, limit, ttls);
  }

  async purge(request: PurgeRequest): Promise<number> {
    const { before = Number.MAX_SAFE_INTEGER, keep = 0 } = request;
    const all = request.filter === undefined || request.filter.all;
    let purged = 0;
    if (all && before > this.stream.lastSeq && keep === 0) {
      purged = this.stream.messages;
      this.clear();
    } else {
      const filter = request.filter ?? this.filter([]);
      purged = await this.#purgeSome(filter, before, keep);
      if (request.filter === undefined) filter.close();
    }
    await this.flush();
    return purged;
  }

  async #purgeSome(filter: SubjectFilter, before: number, keep: number): Promise<number> {
    const { count, through } = await this.count(filter, 1);
    const last = Math.min(through, before - 1);
    const most = count - keep;
    const pacer = new Pacer(this.stream.clock);
    let purged = 0;
    let seq = 1;
    while (purged < most) {
      const next = this.next(filter, seq);
      seq = typeof next === "number" ? next : await next;
      if (seq === 0 || seq > last) break;
      if (this.remove(seq)) purged += 1;
      seq += 1;
      // Removals that wait for one commit are written down in one go, which must not take long either.
      if (purged % PURGE_STEP === 0) await this.flush();
      else if ((purged & 127) === 0 && pacer.due) await pacer.rest();
    }
    return purged;
  }
}

/** Holds what is stored to what a record can say. */
export function checkMessage(subject: string, time: number, ttl: number): void {
  assert(subject.length > 0 && subject.length <= 0x5555, "a stored subject has 1 to 21845 characters");
  assert(time >= 0 && time <= 8.64e15 / 1000, "a stored message has a time in ms since the epoch");
  assert(Number.isInteger(ttl) && ttl >= 0 && ttl <= 0xffff_ffff, "a TTL is a whole number of seconds");
}
