import type { CipherName } from "../seams/ciphers.ts";
import type { Clock } from "../seams/clock.ts";
import type { Keys } from "./encryption.ts";
import { NO_KEY, StorageError } from "./errors.ts";
import { FileLog, type LogContext } from "./file-log.ts";
import { FileStore } from "./file-store.ts";
import { INDEX_NAME, IndexFile, type IndexHead, namedNotes } from "./index-file.ts";
import type { NamedNote } from "./named-notes.ts";
import { countNote, type NoteList } from "./note-list.ts";
import { Pacer } from "./pacer.ts";
import {
  decodeChange,
  FoundRecord,
  HEADER_BYTES,
  KIND_MERGE,
  KIND_SEAL,
  recordBytes,
  seedAt,
} from "./records.ts";
import { Replay } from "./replay.ts";
import { findTail, Scanner } from "./scan.ts";
import { Segment, type SegmentName } from "./segment.ts";
import type { StoreOptions } from "./store.ts";
import { StreamIndex } from "./stream-index.ts";
import { unlinkIfThere } from "./unlink.ts";

const SEGMENT_NAME = /^(\d{16})-([0-9a-f]{8})-([0-9a-f]{8})(?:\.(chacha|aes))?\.(log|s2)$/;

/** More than the record at the beginning of a merged segment has. */
const MERGE_RECORD_BYTES = 4096;

/**
 * Opens the stream in a directory, which is made when it is not there. Reads all records, unless the stream was closed in order.
 * @param keys - when it is to be encrypted.
 * @throws StorageError "encrypted" (rejects) when it is, and there are no keys: then nothing is changed.
 */
export async function openFileStore(
  directory: string,
  context: LogContext,
  clock: Clock,
  options: StoreOptions,
  keys: Keys | undefined,
): Promise<FileStore> {
  const { disk } = context;
  await disk.makeDirectory(directory);
  await disk.keepDirectory(directory);
  const pacer = new Pacer(clock);
  const log = new FileLog(directory, context, keys);
  log.segments = await findSegments(log);
  for (const { generation } of log.segments) log.generation = Math.max(log.generation, generation);
  const index = await IndexFile.open(disk, directory, keys, pacer);
  let opened: Opened;
  try {
    opened =
      (index && (await openIndexed(index, log, clock, options))) ??
      (await openReading(index?.head, log, clock, options));
  } finally {
    if (index !== undefined) {
      await index.close();
      // It is right only until the first change.
      await disk.unlink(`${directory}/${INDEX_NAME}`);
    }
  }
  await countNotes(opened.notes, pacer);
  const store = new FileStore(opened.stream, log, options, opened.notes, opened.named);
  store.renew();
  if (!opened.said) await store.repeat();
  return store;
}

async function countNotes(notes: NoteList, pacer: Pacer): Promise<void> {
  for (const part of notes.parts) {
    for (const { bytes, time, place } of part) countNote(place.segment, bytes, time);
    if (pacer.due) await pacer.rest();
  }
}

interface Opened {
  readonly stream: StreamIndex;
  readonly notes: NoteList;
  readonly named: NamedNote[];
  /** Whether the records say which number was given out last. */
  readonly said: boolean;
}

function newStream(log: FileLog, clock: Clock, options: StoreOptions): StreamIndex {
  const seed = new Uint8Array(4);
  log.context.random.fill(seed);
  return new StreamIndex(clock, new DataView(seed.buffer).getInt32(0), options.firstSeq ?? 1);
}

/** The segments of a directory, in order, without what a merge or a compression has left behind. */
async function findSegments(log: FileLog): Promise<Segment[]> {
  const { directory, keys } = log;
  const { disk } = log.context;
  const found = new Map<string, Segment>();
  const remains: string[] = [];
  const replaced = new Set<number>();
  const names = (await disk.list(directory)).sort();
  if (keys === undefined && names.some((name) => SEGMENT_NAME.exec(name)?.[4] !== undefined))
    throw new StorageError("encrypted", NO_KEY);
  for (const name of names) {
    if (name.endsWith(".tmp")) await disk.unlink(`${directory}/${name}`);
    const parts = SEGMENT_NAME.exec(name);
    if (parts === null) continue;
    const segment = segmentOf(log, parts);
    const other = found.get(segment.logPath);
    if (other === undefined) {
      found.set(segment.logPath, segment);
    } else {
      const best = (await (await segment.unpacked()).isWhole()) ? segment : other;
      found.set(segment.logPath, best);
      remains.push(best === segment ? other.path : segment.path);
      await (best === segment ? other : segment).close();
    }
  }
  for (const segment of found.values()) {
    segment.size = await (await segment.reader()).size();
    segment.sealed = await isSealed(segment);
    for (const each of await replacedBy(segment)) {
      replaced.add(each);
      segment.order = Math.min(segment.order, each);
    }
  }
  // Whoever made or renamed them may have been killed before that would last: what is written from here on must not be lost with them.
  if (found.size > 0) await disk.syncDirectory(directory);
  const kept: Segment[] = [];
  for (const segment of found.values()) {
    if (replaced.has(segment.generation)) {
      await segment.close();
      remains.push(segment.path);
    } else {
      kept.push(segment);
    }
  }
  for (const path of remains) await disk.unlink(path);
  return kept.sort((a, b) => a.firstSeq - b.firstSeq || a.order - b.order);
}

/** The segment that a file's name says. */
function segmentOf({ context, directory, keys }: FileLog, parts: readonly string[]): Segment {
  const [, first, generation, salt, cipher, kind] = parts;
  const name: SegmentName = {
    firstSeq: Number(first),
    generation: Number.parseInt(generation, 16),
    salt: Number.parseInt(salt, 16),
    cipher: cipher as CipherName | undefined,
  };
  const segment = new Segment(context, directory, name, keys);
  segment.created = true;
  segment.compressed = kind === "s2";
  return segment;
}

/** Whether a segment ends with the record that seals it. */
async function isSealed(segment: Segment): Promise<boolean> {
  const position = segment.size - HEADER_BYTES;
  if (position < 0 || position % 8 !== 0) return false;
  const bytes = recordBytes(HEADER_BYTES);
  await segment.read(bytes.bytes, position);
  const record = new FoundRecord();
  const result = record.read(bytes, HEADER_BYTES, 0, seedAt(segment.salt, position));
  return result === "read" && record.kind === KIND_SEAL;
}

/** The generations of the segments that this one was made of, and replaces, and its {@link Segment.order}. */
async function replacedBy(segment: Segment): Promise<number[]> {
  const record = new FoundRecord();
  let bytes = recordBytes(HEADER_BYTES);
  let used = await segment.read(bytes.bytes, 0);
  if (record.read(bytes, used, 0, seedAt(segment.salt, 0)) !== "read" || record.kind !== KIND_MERGE)
    return [];
  bytes = recordBytes(MERGE_RECORD_BYTES);
  used = await segment.read(bytes.bytes, 0);
  if (
    record.read(bytes, used, 0, seedAt(segment.salt, 0)) !== "read" ||
    record.end > used ||
    !record.bodyIsSound(bytes)
  )
    return [];
  const generations: number[] = [];
  decodeChange(bytes.bytes, record.payloadStart, record.payloadEnd, (first, last) => {
    for (let each = first; each <= last; each++) generations.push(each);
  });
  return generations;
}

/** Opens with the index, if it is one of just these files, and sound. */
async function openIndexed(
  index: IndexFile,
  log: FileLog,
  clock: Clock,
  options: StoreOptions,
): Promise<Opened | undefined> {
  const { head } = index;
  const { segments, directory } = log;
  const same =
    head.segments.length === segments.length &&
    head.segments.every(
      ({ name, size }, i) => `${directory}/${name}` === segments[i].path && size === segments[i].size,
    );
  if (!same) return undefined;
  const stream = newStream(log, clock, options);
  if (!(await index.load(stream, segments))) return undefined;
  head.segments.forEach(({ sealed, damaged, total, live, lastRecord }, i) => {
    const segment = segments[i];
    Object.assign(segment, { sealed, damaged, total, live, lastRecord, committedRecord: lastRecord });
    segment.committed = segment.synced = segment.durable = segment.size;
  });
  return { stream, notes: index.notes, named: namedNotes(head, segments), said: true };
}

/** Opens by reading all records. @param head - what is known from an index file that is of no use otherwise. */
async function openReading(
  head: IndexHead | undefined,
  log: FileLog,
  clock: Clock,
  options: StoreOptions,
): Promise<Opened> {
  const stream = newStream(log, clock, options);
  const pacer = new Pacer(clock);
  const replay = new Replay(stream, log, pacer);
  const known = new Map(head?.segments.map((each) => [`${log.directory}/${each.name}`, each]));
  const lastSegment = log.segments[log.segments.length - 1];
  await repairEnd(log, (segment) => known.get(segment.path)?.size ?? 0, pacer);
  const scanner = new Scanner(pacer);
  for (let i = 0; i < log.segments.length; i++) {
    const segment = log.segments[i];
    replay.begin(segment);
    const { salt, size, records } = segment;
    await scanner.scan(await segment.reader(), salt, 0, size, false, replay, records);
    const next = log.segments[i + 1];
    const listed = known.get(segment.path);
    const cut = listed !== undefined && segment.size < listed.size;
    if (!segment.sealed && next !== undefined) replay.expect(next.firstSeq - 1);
    else if (cut) replay.expect(listed.lastRecord);
    segment.committed = segment.synced = segment.durable = segment.size;
    segment.committedRecord = segment.lastRecord;
    // Even if the record that says so is damaged.
    segment.sealed ||= segment.compressed;
  }
  replay.finish();
  // A file that had nothing whole in it still says by its name which number was the last before it.
  const said = lastSegment === undefined || stream.lastSeq >= lastSegment.firstSeq - 1;
  if (!said) stream.advance(lastSegment.firstSeq - 1);
  return { stream, notes: await replay.notes(), named: replay.named, said };
}

/**
 * Sees to it that the last segment ends with its last commit, and lasts. Files behind it that have nothing whole go: nothing tells of them, and
 * their names have said what they can.
 */
async function repairEnd(log: FileLog, known: (segment: Segment) => number, pacer: Pacer): Promise<void> {
  const { disk } = log.context;
  let gone = false;
  for (;;) {
    const last = log.segments[log.segments.length - 1];
    // The one before a file that was begun had been synced whole, and one that is compressed was.
    if (last === undefined || last.compressed || (gone && last.sealed)) break;
    await repairTail(last, known(last), pacer);
    if (last.size > 0 || known(last) > 0) break;
    log.segments.pop();
    await last.close();
    await unlinkIfThere(disk, last.path);
    gone = true;
  }
  // If one of them were back, the one before it would not be the last.
  if (gone) await disk.syncDirectory(log.directory);
}

/** Cuts off what a crash has left of the last commit, and sees to it that the rest lasts. */
async function repairTail(segment: Segment, known: number, pacer: Pacer): Promise<void> {
  const file = await segment.file();
  const tail = await findTail(file, segment.salt, segment.size, Math.min(known, segment.size), pacer);
  if (tail < segment.size) {
    await file.truncate(tail);
    // The record that seals it may have come through without those before it.
    segment.sealed = false;
  }
  await file.sync();
  segment.size = tail;
}
