import type { StorageError } from "./errors.ts";
import type { LiveCount } from "./live-count.ts";
import type { SubjectFilter } from "./subject-filter.ts";

/** A value that may be there at once: what is in memory costs no turn of the event loop. */
export type Maybe<T> = T | Promise<T>;

/** A TTL that says: never expires, whatever the stream's age limit is. */
export const TTL_NEVER = 0xffff_ffff;

/** A message to be stored. */
export interface MessageInput {
  readonly subject: string;
  /** The header block as on the wire; undefined without one. */
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Milliseconds since the epoch; what is finer than a microsecond is lost. */
  readonly time: number;
  /** In seconds; 0 for none, {@link TTL_NEVER} for no expiry at all. */
  readonly ttl: number;
}

/** A message that is stored. Its arrays never change; they must not be written to. */
export interface StoredMessage extends MessageInput {
  readonly seq: number;
}

/** What a stream holds. */
export interface StreamState {
  /** How many messages. */
  readonly messages: number;
  /** Their bytes, counted as nats-server counts them ({@link accountedBytes} of either kind of store). */
  readonly bytes: number;
  /** The first message's; without messages, the one after {@link lastSeq}. */
  readonly firstSeq: number;
  /** When the first message was stored, in ms since the epoch; 0 without messages. */
  readonly firstTime: number;
  /** The last number given out, be its message there or not; 0 when there never was one. */
  readonly lastSeq: number;
  /** When the last message was stored, be it there or not, in ms since the epoch; 0 when there never was one. */
  readonly lastTime: number;
  /** How many different subjects. */
  readonly subjects: number;
  /** How many numbers from `firstSeq` to `lastSeq` have no message. */
  readonly deleted: number;
  /** Messages that damage to the files has cost, as far as it has been seen; nothing else is missing that should be there. */
  readonly lost: LostMessages | undefined;
}

/** Messages that were lost, as ranges of sequences (both ends belong to it). */
export interface LostMessages {
  readonly ranges: readonly (readonly [first: number, last: number])[];
  /** The bytes of the records that could not be read. */
  readonly bytes: number;
}

/** What there is on one subject. */
export interface SubjectState {
  readonly subject: string;
  readonly messages: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Which messages to purge; those that all of it holds for. */
export interface PurgeRequest {
  /** On these subjects only. */
  readonly filter?: SubjectFilter;
  /** With a lower sequence than this. */
  readonly before?: number;
  /** But not the last so many. */
  readonly keep?: number;
}

/** How to remove a message. */
export interface RemoveOptions {
  /** Whether its bytes are overwritten on disk. */
  readonly erase?: boolean;
  /**
   * The sequence of the message that takes its place (a limit was reached, a rollup). Should that one come to nothing because the
   * disk is full, then this one stays.
   */
  readonly because?: number;
}

/** What a store tells. Calls come after the call that led to them has returned, and never inside it. */
export interface StoreListener {
  /** Everything up to and including sequence `seq` is on disk. */
  synced(seq: number): void;
  /** Everything from `seq` on has come to nothing; `lastSeq` is `seq - 1` again, and what was removed because of them is back. */
  refused(seq: number, error: StorageError): void;
  /** A message cannot be read, or its file says that there was one which is gone: it is in `state.lost` now. */
  lost(first: number, last: number): void;
}

/**
 * The messages of a stream, in order. The memory store and the file store behave the same, but that the one is never behind with
 * syncing.
 *
 * What changes the store does so at once, for all who read after it; it may be lost until it is synced. Deliver nothing above
 * {@link syncedSeq}, and no sequence will ever be seen twice.
 *
 * A number that is given out is at least 1; where a sequence is returned, 0 says that there is none.
 */
export interface StreamStore {
  readonly state: StreamState;
  /** Everything up to here is on disk. The memory store: all. */
  readonly syncedSeq: number;
  /** Why nothing more is taken, if so. Error `full` goes away by itself, `stopped` does not. */
  readonly refusing: StorageError | undefined;
  /** Set by whoever uses the store. */
  listener: StoreListener | undefined;

  /**
   * Stores a message, and returns its sequence. Its bytes are copied.
   * @throws StorageError when nothing is taken now ({@link refusing}).
   */
  append(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    time: number,
    ttl?: number,
  ): number;
  /** Stores messages, all or none of which survive a crash. Returns the first's sequence; the others' follow. */
  appendBatch(messages: readonly MessageInput[]): number;
  /**
   * Gives out `count` sequences without messages; returns the last.
   * @param time - when, in ms since the epoch, which becomes that of the last message; 0 leaves it.
   */
  skip(count: number, time?: number): number;
  /** Resolves when all that was done before is on disk; rejects with a StorageError when it will not be. Asks for a sync at once. */
  flush(): Promise<void>;

  /** Whether there is a message. */
  has(seq: number): boolean;
  /** A message; undefined when there is none (any more), or it is lost. */
  get(seq: number): Maybe<StoredMessage | undefined>;
  /**
   * The same, for whoever is done with its arrays before anybody else has a turn (in the first reaction to a promise): after that they may hold something
   * else. To be preferred where many messages are read one after the other.
   */
  borrow(seq: number): Maybe<StoredMessage | undefined>;
  /** Its subject; undefined when there is no message. Never needs the disk. */
  subjectOf(seq: number): string | undefined;
  /** When it was stored, in ms since the epoch; undefined when there is no message. Never needs the disk. */
  timeOf(seq: number): number | undefined;
  /** Its bytes as they count for {@link StreamState.bytes}; 0 when there is no message. Never needs the disk. */
  bytesOf(seq: number): number;
  /** What a message would count. */
  accountedBytes(subject: number, headers: number, payload: number): number;

  /**
   * A filter by subjects: patterns with wildcards, any of which may match; none for everything. It remembers where it was, so each
   * reader has its own. Close it when it is not used any more.
   */
  filter(patterns: readonly string[]): SubjectFilter;
  /** The first sequence from `seq` on whose message matches; 0 for none. */
  next(filter: SubjectFilter, seq: number): Maybe<number>;
  /** The last sequence up to `seq` whose message matches; 0 for none. */
  previous(filter: SubjectFilter, seq: number): Maybe<number>;
  /** How many messages match from `seq` on, up to and including `through`: the last one when it was asked. */
  count(filter: SubjectFilter, seq: number): Maybe<Count>;
  /** A count of messages that match from `seq` on, which stays right; close it when it is not used any more. */
  liveCount(filter: SubjectFilter, seq: number): LiveCount;
  /** Calls `watcher` for each message that goes, until the function that it returns is called. */
  watch(watcher: StoreWatcher): () => void;
  /** The same as `count`, of those only that are the last on their subject. */
  countLast(filter: SubjectFilter, seq: number): Maybe<Count>;
  /** The first sequence stored at or after a time (ms since the epoch); `lastSeq + 1` for none. */
  seqAt(time: number): number;

  /** What there is on a subject; undefined for nothing. */
  subject(subject: string): SubjectState | undefined;
  /** Visits all subjects that match, in no order; those that come or go meanwhile may be visited. */
  eachSubject(filter: SubjectFilter, visit: (subject: SubjectState) => void): Promise<void>;
  /**
   * The last sequence on each subject that matches, in order; with `upTo`, the last that is not above it.
   * @param limit - stops with undefined when there are more than so many subjects.
   */
  lastOfEach(filter: SubjectFilter, upTo?: number, limit?: number): Promise<number[] | undefined>;
  /** The numbers from `firstSeq` to `lastSeq` that have no message, as ranges (both ends belong to it), in order. */
  deleted(): Iterable<readonly [first: number, last: number]>;

  /** Removes a message. Returns whether there was one. */
  remove(seq: number, options?: RemoveOptions): boolean;
  /** Removes messages, and resolves to how many when that is on disk. */
  purge(request: PurgeRequest): Promise<number>;

  /** When the next message is due by its TTL or, if that is not 0, `maxAge` (ms); undefined for none. May be too early, never too late. @param ttls - whether TTLs count; one of "never" always does. */
  nextExpiry(maxAge: number, ttls: boolean): number | undefined;
  /**
   * Up to `limit` sequences of messages that are due at `now`, those with a TTL in order of the time they were due. If there are more than that, which ones
   * come is not said. They stay until they are removed. Without `ttls` none counts but "never".
   */
  expired(now: number, maxAge: number, limit: number, ttls: boolean): number[];

  /**
   * Keeps a few bytes beside the messages for at least {@link StoreOptions.noteAge}: they are on disk when what was done before and
   * after them is, whatever becomes of the messages (the ids of the de-duplication window are kept so).
   */
  note(bytes: Uint8Array, time: number): void;
  /** The notes there are, in order; after a crash in that of their times, and two that are the same in time and bytes are one. Those older than `noteAge` may be gone. */
  notes(): Iterable<Note>;
  /**
   * Keeps a few bytes under a name, in place of those that were kept under it before: on disk when what was done before and after them is, whatever
   * becomes of the messages. May be called by a {@link StoreWatcher}: the bytes are on disk then when the removal is.
   */
  keep(name: string, bytes: Uint8Array): void;
  /** What is kept under a name; undefined for nothing. */
  kept(name: string): Uint8Array | undefined;

  /** Changes how it is synced and kept. */
  configure(options: StoreOptions): void;
  /** Syncs, and closes the files. Resolves when there is nothing open; what failed is in {@link refusing} before. Reads end with it. */
  close(): Promise<void>;
  /** Closes, and deletes the files. */
  delete(): Promise<void>;
}

/** Hears of messages that go. Calls come inside of the call that removes: it may only take notes. */
export interface StoreWatcher {
  /**
   * A message goes, for whatever reason.
   * @param subject - of no use outside the store.
   * @param undoable - whether it may come back: it goes in favour of others that are not on disk yet. That is decided once all that
   * there is now is on disk, or was refused.
   */
  removed(seq: number, subject: number, undoable: boolean): void;
  /** A message is back that had gone. */
  restored?(seq: number): void;
  /** All have gone. */
  cleared(): void;
}

/** How many, up to where. */
export interface Count {
  readonly count: number;
  readonly through: number;
}

/** Bytes kept with {@link StreamStore.note}. */
export interface Note {
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** How a store works. */
export interface StoreOptions {
  /**
   * When a file store says `synced`: "always" after the fdatasync that covers a message; otherwise once it has been written, and there is an
   * fdatasync so many ms later at the latest. The memory store has no use for it.
   */
  readonly sync: "always" | number;
  /** How long notes are kept at least, in ms. */
  readonly noteAge: number;
  /** How messages in files are compressed, once a segment of them is complete; "none" without. The memory store has no use for it. */
  readonly compression?: "none" | "s2";
  /** The first sequence of a new stream; 1 without. */
  readonly firstSeq?: number;
}
