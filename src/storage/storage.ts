import type { StoreOptions, StreamStore } from "./store.ts";

/**
 * A directory and all that is kept in it: streams, documents, journals. One process has it at a time. Places in it are lists of names
 * (any text), such as `["$G", "streams", "ORDERS"]`; what is at a place does not depend on the platform's rules for file names.
 */
export interface Storage {
  /** Opens the stream at a place, and makes it when it is not there. One place is opened once at a time. */
  openStream(place: readonly string[], options: StoreOptions): Promise<StreamStore>;
  /** Opens the journal at a place, and makes it when it is not there. */
  openJournal(place: readonly string[]): Promise<Journal>;
  /** Reads a document; undefined when there is none that can be read. What cannot is set aside and told of in {@link damaged}. */
  readDocument(place: readonly string[]): Promise<Uint8Array | undefined>;
  /** Writes a document in place of what it was: after a crash it is the one or the other. Resolves when it is on disk. */
  writeDocument(place: readonly string[], bytes: Uint8Array): Promise<void>;
  /** Deletes a document. */
  deleteDocument(place: readonly string[]): Promise<void>;
  /** The names at a place that have something below them, in order. */
  list(place: readonly string[]): Promise<string[]>;
  /** The names of the documents at a place, readable or not, in order. */
  listDocuments(place: readonly string[]): Promise<string[]>;
  /** Deletes all that is at and below a place. What is open there must be closed before. */
  deleteAll(place: readonly string[]): Promise<void>;
  /** What was found damaged since it was opened, in plain words. */
  readonly damaged: readonly string[];
  /** Closes what is open in it, and gives the directory back. */
  close(): Promise<void>;
}

/**
 * Small records, appended one by one, of which only the sum matters: an ack state and what changed in it. Now and then the records are replaced by
 * one that says what they come to ({@link compact}).
 */
export interface Journal {
  /** The records as they were found when it was opened: the last compacted one first, if there ever was one. */
  readonly found: readonly Uint8Array[];
  /** The bytes of the records since the last compaction: how the owner knows when to compact. */
  readonly size: number;
  /** Adds a record. It is on disk once a {@link flush} that was called after it has resolved. */
  append(bytes: Uint8Array): void;
  /** Resolves when all records before are on disk; rejects with a StorageError. Calls share their syncs. */
  flush(): Promise<void>;
  /** Replaces all records so far by one. The others are gone only when that one is on disk. */
  compact(bytes: Uint8Array): Promise<void>;
  /** Flushes, and closes the file. */
  close(): Promise<void>;
}
