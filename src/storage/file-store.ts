import { assert } from "../protocol/assert.ts";
import { EMPTY, encodeText } from "../protocol/text.ts";
import { Erasures } from "./erasures.ts";
import { StorageError } from "./errors.ts";
import type { FileLog, LogOwner } from "./file-log.ts";
import { writeIndex } from "./index-file.ts";
import { checkMessage, IndexedStore } from "./indexed-store.ts";
import { MovedPlaces } from "./moved-places.ts";
import { type NamedNote, NamedNotes } from "./named-notes.ts";
import { countNote, type NoteList, type NotePart, type NotePlace } from "./note-list.ts";
import { Pacer } from "./pacer.ts";
import { RecordReader } from "./record-reader.ts";
import {
  encodeChange,
  FLAG_CONTINUES,
  KIND_CHANGE,
  KIND_MESSAGE,
  KIND_NOTE,
  type RecordHead,
} from "./records.ts";
import { Removals } from "./removals.ts";
import type { Segment } from "./segment.ts";
import type { Maybe, MessageInput, Note, RemoveOptions, StoredMessage, StoreOptions } from "./store.ts";
import type { RemovedMessage, StreamIndex } from "./stream-index.ts";
import { SyncRule } from "./sync-rule.ts";
import { Upkeep } from "./upkeep.ts";

/** After it was full, the disk is tried again this often, in ms. */
const FULL_RETRY_MS = 1000;
/** From this size on, a segment of which nothing is left makes way for a new one when all is purged. */
const ROLL_BYTES = 64 * 1024;

/** Removals are written down when there are so many, or a commit begins: one record says only what can be said in a moment. */
const CHANGE_REMOVALS = 1024;

interface Waiter {
  resolve(): void;
  reject(error: StorageError): void;
}

/** Messages in files: docs/storage.md says how. */
export class FileStore extends IndexedStore implements LogOwner {
  readonly #log: FileLog;
  readonly #reader: RecordReader;
  readonly #upkeep: Upkeep;
  #options: StoreOptions;
  readonly #notes: NoteList;
  readonly #named: NamedNotes;
  /** The head of each message in turn. */
  readonly #head: RecordHead = { kind: 0, flags: 0, seq: 0, micros: 0, gap: 0, durable: 0, ttl: 0 };

  #committedSeq: number;
  #committedTime: number;
  readonly #removals = new Removals();
  /** Whether there is a change that {@link #removals} does not say: a floor, skipped sequences. */
  #changed = false;
  readonly #movedPlaces = new MovedPlaces();
  readonly #erasures = new Erasures();
  #waiters: Waiter[] = [];
  /** What the commit that goes on will have covered. */
  #committing = { seq: 0, time: 0, removals: 0, sync: true, waiters: [] as Waiter[] };
  #durableRemovals = 0;
  #full: StorageError | undefined;
  #retryAt = 0;
  #closed: StorageError | undefined;
  readonly #sync: SyncRule;

  /** Made by `openFileStore`. */
  constructor(stream: StreamIndex, log: FileLog, options: StoreOptions, notes: NoteList, named: NamedNote[]) {
    super(stream);
    this.#log = log;
    this.#options = options;
    this.#notes = notes;
    this.#named = new NamedNotes(named);
    this.#committedSeq = stream.lastSeq;
    this.#committedTime = stream.lastTime;
    this.#sync = new SyncRule(stream.clock, () => log.want());
    this.#reader = new RecordReader(stream, log, (seq) => this.listener?.lost(seq, seq));
    this.#upkeep = new Upkeep(stream, log, this.#erasures, {
      durable: () => this.#durableRemovals,
      horizon: () => this.#noteHorizon,
      keepNotes: (segments) => this.#keepNotes(segments),
      flush: () => this.flush(),
      moved: (seq, segment, place) => this.#moved(seq, segment, place),
      compresses: () => this.#options.compression === "s2",
    });
    log.start(this);
  }

  /** Sees to it that segments which are not encrypted as they should be are written anew: after the next commit, but for the last one, which makes way for another. */
  renew(): void {
    const log = this.#log;
    const { segments } = log;
    if (segments.every((each) => log.isCurrent(each))) return;
    if (!log.isCurrent(segments[segments.length - 1])) log.roll(this.stream.lastSeq + 1);
    log.want();
  }

  /** Writes down once more which number was given out last: what is built on it from here on must not be lost with it. */
  async repeat(): Promise<void> {
    this.#changed = true;
    // Where there is no space, nothing is built.
    await this.flush().catch(() => {});
  }

  get syncedSeq(): number {
    return this.#committedSeq;
  }

  get refusing(): StorageError | undefined {
    const stopped = this.#closed ?? this.#log.stopped;
    if (stopped !== undefined || this.#full === undefined) return stopped;
    return this.stream.clock.monotonic() < this.#retryAt ? this.#full : undefined;
  }

  accountedBytes(subject: number, headers: number, payload: number): number {
    return 30 + subject + payload + (headers === 0 ? 0 : headers + 4);
  }

  append(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    time: number,
    ttl: number = 0,
  ): number {
    const { refusing } = this;
    if (refusing !== undefined) throw refusing;
    checkMessage(subject, time, ttl);
    // What was stored before is whole: what is noted of a message comes right behind it.
    this.#log.hasten();
    const seq = this.#append(subject, headers ?? EMPTY, payload, time, ttl, 0);
    this.#log.want();
    return seq;
  }

  appendBatch(messages: readonly MessageInput[]): number {
    const { refusing } = this;
    if (refusing !== undefined) throw refusing;
    for (const { subject, time, ttl } of messages) checkMessage(subject, time, ttl);
    const first = this.stream.lastSeq + 1;
    this.#log.inOneSegment(() => {
      messages.forEach(({ subject, headers, payload, time, ttl }, i) => {
        const flags = i < messages.length - 1 ? FLAG_CONTINUES : 0;
        this.#append(subject, headers ?? EMPTY, payload, time, ttl, flags);
      });
    });
    this.#log.want();
    return first;
  }

  #append(
    subject: string,
    headers: Uint8Array,
    payload: Uint8Array,
    time: number,
    ttl: number,
    flags: number,
  ): number {
    const { stream } = this;
    const id = stream.intern(subject);
    const length = stream.subjectTable.textLength(id);
    const seq = stream.lastSeq + 1;
    const head = this.#head;
    head.kind = KIND_MESSAGE;
    head.flags = flags;
    head.seq = seq;
    head.micros = Math.round(time * 1000);
    head.ttl = ttl;
    const position = this.#log.write(head, subject, length, headers, payload, seq);
    const bytes = this.accountedBytes(length, headers.length, payload.length);
    const segment = this.#log.segments[this.#log.segments.length - 1];
    segment.total += bytes;
    segment.live += bytes;
    stream.add(seq, id, position / 8, bytes, head.micros / 1000, ttl);
    return seq;
  }

  skip(count: number, time: number = 0): number {
    const { refusing } = this;
    if (refusing !== undefined) throw refusing;
    this.stream.advance(this.stream.lastSeq + count);
    if (time > 0) this.stream.lastTime = time;
    this.#changed = true;
    this.#log.want();
    return this.stream.lastSeq;
  }

  flush(): Promise<void> {
    const stopped = this.#closed ?? this.#log.stopped;
    if (stopped !== undefined) return Promise.reject(stopped);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#sync.ask();
      this.#log.want();
    });
  }

  get(seq: number): Maybe<StoredMessage | undefined> {
    return this.#reader.get(seq, false);
  }

  borrow(seq: number): Maybe<StoredMessage | undefined> {
    return this.#reader.get(seq, true);
  }

  remove(seq: number, options?: RemoveOptions): boolean {
    if (this.#closed !== undefined || this.#log.stopped !== undefined) return false;
    const { index } = this.stream;
    if (!index.locate(seq)) return false;
    const segment = this.#log.segmentOf(seq);
    const position = index.chunk.place[index.slot] * 8;
    segment.live -= index.chunk.bytes[index.slot];
    const because = options?.because ?? 0;
    let message: RemovedMessage | undefined;
    if (because > this.#committedSeq) message = this.stream.remove(seq);
    else this.stream.drop(seq);
    const count = this.#removals.add({ seq, because, message });
    if (options?.erase === true) {
      this.#erasures.add(seq, segment, position, count);
      this.#sync.ask();
    }
    if (this.#removals.unwritten >= CHANGE_REMOVALS) this.#writeRemovals();
    segment.emptiedAt = count;
    this.#log.want();
    return true;
  }

  protected clear(): void {
    this.stream.clear();
    this.#removals.clear();
    this.#changed = true;
    for (const segment of this.#log.segments) {
      segment.live = 0;
      segment.emptiedAt = this.#removals.count;
    }
    const last = this.#log.segments[this.#log.segments.length - 1];
    // On a full disk the less is written the better.
    if (last !== undefined && last.size > ROLL_BYTES && this.#full === undefined)
      this.#log.roll(this.stream.lastSeq + 1);
    this.#log.want();
  }

  note(bytes: Uint8Array, time: number): void {
    const { refusing } = this;
    if (refusing !== undefined) throw refusing;
    this.#notes.add({ time, bytes, place: this.#writeNote(bytes, time) });
    this.#notes.expire(this.#noteHorizon);
    this.#log.want();
  }

  get #noteHorizon(): number {
    return this.stream.clock.now() - this.#options.noteAge;
  }

  keep(name: string, bytes: Uint8Array): void {
    const { refusing } = this;
    if (refusing !== undefined) throw refusing;
    this.#keep(name, bytes.slice());
    this.#log.want();
  }

  #keep(name: string, bytes: Uint8Array): void {
    this.#named.add({ name, bytes, place: this.#writeNote(bytes, 0, encodeText(name)) });
  }

  kept(name: string): Uint8Array | undefined {
    return this.#named.get(name)?.bytes;
  }

  #writeNote(bytes: Uint8Array, time: number, name: Uint8Array = EMPTY): NotePlace {
    const head = this.#headOf(KIND_NOTE, time);
    const position = this.#log.write(head, "", 0, name, bytes, this.stream.lastSeq + 1);
    const segment = this.#log.segments[this.#log.segments.length - 1];
    if (name === EMPTY) countNote(segment, bytes, time);
    return { segment, position };
  }

  /** Writes the notes of segments that are to go once more. Resolves when that is on disk. */
  async #keepNotes(segments: ReadonlySet<Segment>): Promise<void> {
    const horizon = this.#noteHorizon;
    const pacer = new Pacer(this.stream.clock);
    const moved: NotePart[] = [];
    const write = (bytes: Uint8Array, time: number): NotePlace => this.#writeNote(bytes, time);
    for (const part of [...this.#notes.parts]) {
      if (part.move(segments, horizon, write)) moved.push(part);
      if (pacer.due) await pacer.rest();
    }
    const named = this.#named.within(segments);
    for (const { name, bytes } of named) this.#keep(name, bytes);
    if (moved.length + named.length === 0) return;
    await this.flush();
    for (const part of moved) part.settle();
  }

  #moved(seq: number, segment: Segment, place: number): void {
    if (!this.#removals.isEmpty) this.#movedPlaces.add(seq, place, this.#removals.count);
    this.#erasures.moved(seq, segment, place * 8);
  }

  notes(): Iterable<Note> {
    return this.#notes;
  }

  configure(options: StoreOptions): void {
    this.#options = options;
    if (options.sync === "always") this.#sync.ask();
    this.#log.want();
  }

  /** A head for a record that is no message. */
  #headOf(kind: number, time: number): RecordHead {
    const micros = Math.round(time * 1000);
    return { kind, flags: 0, seq: this.stream.lastSeq, micros, gap: 0, durable: 0, ttl: 0 };
  }

  beginSegment(): void {
    this.#writeChange([]);
  }

  #writeChange(seqs: number[]): void {
    const payload = encodeChange(this.stream.firstSeq, seqs);
    const head = this.#headOf(KIND_CHANGE, this.stream.lastTime);
    this.#log.write(head, "", 0, EMPTY, payload, this.stream.lastSeq + 1);
  }

  /** Writes down what was removed since it was last written down. */
  #writeRemovals(): void {
    this.#writeChange(this.#removals.write(this.stream.firstSeq));
    this.#changed = false;
  }

  beginCommit(): boolean {
    const { stream } = this;
    if (this.#removals.unwritten > 0 || this.#changed || this.#erasures.marking) this.#writeRemovals();
    this.#removals.beginCommit();
    this.#committing = {
      seq: stream.lastSeq,
      time: stream.lastTime,
      removals: this.#removals.count,
      sync: this.#sync.decide(this.#options.sync),
      waiters: this.#waiters,
    };
    this.#waiters = [];
    return this.#committing.sync;
  }

  committed(): void {
    this.#removals.committed();
    this.#movedPlaces.settle(this.#committing.removals);
    this.#full = undefined;
    const { seq, time, waiters, sync } = this.#committing;
    if (sync) this.#durableRemovals = this.#committing.removals;
    const advanced = seq > this.#committedSeq;
    this.#committedSeq = seq;
    this.#committedTime = time;
    if (advanced) this.listener?.synced(seq);
    for (const waiter of waiters) waiter.resolve();
    if (sync) this.#erasures.synced(this.#durableRemovals);
    if (this.#erasures.waiting) {
      this.#sync.ask();
      this.#log.want();
    }
    this.#upkeep.look();
  }

  undone(error: StorageError): void {
    const { stream } = this;
    if (error.code === "full") {
      this.#full = error;
      this.#retryAt = stream.clock.monotonic() + FULL_RETRY_MS;
    }
    const first = this.#committedSeq + 1;
    const refused = stream.lastSeq >= first;
    if (refused) stream.retract(first, this.#committedTime);
    const back = this.#removals.undo(first);
    const places = this.#movedPlaces.of(new Set(back.map(({ seq }) => seq)));
    this.#movedPlaces.clear();
    for (const message of back) {
      stream.restore({ ...message, place: places.get(message.seq) ?? message.place });
      this.#log.segmentOf(message.seq).live += message.bytes;
    }
    this.#changed = true;
    this.#recount(first);
    const { waiters } = this.#committing;
    this.#committing.waiters = [];
    for (const waiter of [...waiters, ...this.#waiters.splice(0)]) waiter.reject(error);
    if (refused) this.listener?.refused(first, error);
  }

  /** Sees to what is counted a segment after messages from `first` on were taken back. */
  #recount(first: number): void {
    const last = this.#log.segments[this.#log.segments.length - 1];
    if (last !== undefined) {
      last.live = this.stream.index.bytesFrom(last.firstSeq);
      last.total = Math.max(last.live, Math.min(last.total, last.size));
    }
    this.#erasures.cut();
    const segments = new Set(this.#log.segments);
    const isThere = ({ segment, position }: NotePlace): boolean =>
      segments.has(segment) && position < segment.size;
    this.#notes.undo(isThere);
    this.#named.undo(isThere);
    assert(this.stream.lastSeq < first, "what was refused is gone");
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    const flushed = async (): Promise<boolean> =>
      this.flush().then(
        () => true,
        () => false,
      );
    while ((await flushed()) && this.#erasures.waiting);
    await this.#upkeep.stop();
    await this.#log.settled();
    this.#closed = new StorageError("stopped", "the store is closed");
    this.#sync.stop();
    if (this.#log.stopped === undefined && this.#full === undefined) {
      await this.#writeIndex().catch(() => {});
    }
    await this.#log.close();
  }

  async #writeIndex(): Promise<void> {
    // It says how long they are.
    await this.#log.endWrites();
    await writeIndex(this.stream, this.#log, this.#notes, this.#named);
  }

  async delete(): Promise<void> {
    this.#closed ??= new StorageError("stopped", "the store is deleted");
    this.#sync.stop();
    await this.#upkeep.stop();
    await this.#log.settled();
    await this.#log.close();
    const { disk } = this.#log.context;
    for (const name of await disk.list(this.#log.directory)) {
      if (/\.(log|s2|index)(\.tmp)?$/.test(name)) await disk.unlink(`${this.#log.directory}/${name}`);
    }
    await disk.syncDirectory(this.#log.directory);
  }
}
