import { assert } from "../protocol/assert.ts";
import type { SavedArray, SavedArrays } from "./saved-arrays.ts";

/** A chunk covers 2^14 sequences. */
const CHUNK_BITS = 14;
/** How many sequences a chunk covers. */
export const CHUNK_SIZE = 1 << CHUNK_BITS;
const FIRST_ROOM = 32;
/** A distance to a neighbour that does not fit. */
const FAR = 0xffff_ffff;

/**
 * The index entries of a run of sequences, 28 bytes each. It has an entry for every sequence of the run, until most of them are gone:
 * then only for those that are there (and two bytes more, for which that is).
 */
export class Chunk {
  /** The first sequence of the run. */
  readonly base: number;
  /** How many entries there are, those of removed messages among them. */
  used = 0;
  /** How many messages there are. */
  live = 0;
  /** The highest time that was ever put in. */
  lastTime = 0;
  /** Which sequences the entries are of, less `base`, in order; undefined when they are of all. */
  sparse: Uint16Array | undefined;
  /** The message's bytes as they count; 0 says that there is none. */
  bytes: Uint32Array;
  /** Where the message is in what holds it, in units of 8 bytes. */
  place: Uint32Array;
  /** The subject's id. */
  subject: Uint32Array;
  /** How far it is to the next message on the same subject, and to the one before; 0 for none. */
  after: Uint32Array;
  before: Uint32Array;
  /** When it was stored. */
  time: Float64Array;

  constructor(base: number, room: number) {
    this.base = base;
    this.bytes = new Uint32Array(room);
    this.place = new Uint32Array(room);
    this.subject = new Uint32Array(room);
    this.after = new Uint32Array(room);
    this.before = new Uint32Array(room);
    this.time = new Float64Array(room);
  }

  /** The entry of a sequence of this run; -1 when there is none, or its message is gone. */
  slot(seq: number): number {
    const offset = seq - this.base;
    const { sparse } = this;
    let slot = offset;
    if (sparse !== undefined) {
      slot = this.#lowest(offset);
      if (slot === this.used || sparse[slot] !== offset) return -1;
    } else if (offset >= this.used) return -1;
    return this.bytes[slot] === 0 ? -1 : slot;
  }

  /** The first entry that is of `seq` or a higher one; `used` when there is none. */
  slotFrom(seq: number): number {
    const offset = seq - this.base;
    if (offset <= 0) return 0;
    return this.sparse === undefined ? Math.min(offset, this.used) : this.#lowest(offset);
  }

  /** The sequence of an entry. */
  seqAt(slot: number): number {
    return this.base + (this.sparse === undefined ? slot : this.sparse[slot]);
  }

  #lowest(offset: number): number {
    const sparse = this.sparse!;
    let low = 0;
    let high = this.used;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sparse[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All there is, for {@link Chunk.load}. */
  save(): SavedArray[] {
    const { used } = this;
    return [
      Float64Array.of(this.base, used, this.live, this.lastTime, this.sparse === undefined ? 0 : 1),
      this.bytes.subarray(0, used),
      this.place.subarray(0, used),
      this.subject.subarray(0, used),
      this.after.subarray(0, used),
      this.before.subarray(0, used),
      this.time.subarray(0, used),
      this.sparse ?? new Uint16Array(0),
    ];
  }

  /** What was saved. */
  static load(saved: SavedArrays): Chunk {
    const [base, used, live, lastTime, sparse] = saved.f64();
    const chunk = new Chunk(base, 0);
    chunk.used = used;
    chunk.live = live;
    chunk.lastTime = lastTime;
    chunk.bytes = saved.u32();
    chunk.place = saved.u32();
    chunk.subject = saved.u32();
    chunk.after = saved.u32();
    chunk.before = saved.u32();
    chunk.time = saved.f64();
    const offsets = saved.u16();
    if (sparse === 1) chunk.sparse = offsets;
    return chunk;
  }

  /** The same messages, an entry for each; or, with `all`, for each sequence of the run. */
  repacked(all: boolean): Chunk {
    const packed = new Chunk(this.base, all ? CHUNK_SIZE : this.live);
    const sparse = all ? undefined : new Uint16Array(this.live);
    packed.lastTime = this.lastTime;
    packed.live = this.live;
    for (let slot = 0; slot < this.used; slot++) {
      if (this.bytes[slot] === 0) continue;
      const offset = this.seqAt(slot) - this.base;
      const to = all ? offset : packed.used++;
      if (sparse !== undefined) sparse[to] = offset;
      packed.bytes[to] = this.bytes[slot];
      packed.place[to] = this.place[slot];
      packed.subject[to] = this.subject[slot];
      packed.after[to] = this.after[slot];
      packed.before[to] = this.before[slot];
      packed.time[to] = this.time[slot];
    }
    packed.sparse = sparse;
    if (all) packed.used = CHUNK_SIZE;
    return packed;
  }

  /** Makes room for the entry of `offset`, and for all up to it. */
  extend(offset: number): void {
    if (offset >= this.bytes.length) {
      let room = Math.max(FIRST_ROOM, this.bytes.length * 2);
      while (room <= offset) room *= 2;
      const old = { ...this };
      this.bytes = new Uint32Array(room);
      this.bytes.set(old.bytes);
      this.place = new Uint32Array(room);
      this.place.set(old.place);
      this.subject = new Uint32Array(room);
      this.subject.set(old.subject);
      this.after = new Uint32Array(room);
      this.after.set(old.after);
      this.before = new Uint32Array(room);
      this.before.set(old.before);
      this.time = new Float64Array(room);
      this.time.set(old.time);
    }
    if (offset >= this.used) this.used = offset + 1;
  }
}

/**
 * Where the messages of a stream are, by sequence: chunks in order, none where there are no messages. What it finds is left in {@link chunk} and
 * {@link slot}, so that looking up makes no object.
 */
export class MessageIndex {
  /** In order; each has at least one message. */
  readonly chunks: Chunk[] = [];
  /** What {@link locate} found. */
  chunk: Chunk = new Chunk(0, 0);
  slot = 0;
  readonly #farAfter = new Map<number, number>();
  readonly #farBefore = new Map<number, number>();

  /** Finds the message with this sequence. */
  locate(seq: number): boolean {
    const at = this.chunkFrom(seq);
    if (at === this.chunks.length) return false;
    const chunk = this.chunks[at];
    if (chunk.base > seq) return false;
    const slot = chunk.slot(seq);
    if (slot < 0) return false;
    this.chunk = chunk;
    this.slot = slot;
    return true;
  }

  /** Which chunk is the first that may have messages from `seq` on; the number of chunks for none. */
  chunkFrom(seq: number): number {
    const { chunks } = this;
    if (chunks.length === 0) return 0;
    const base = seq - (seq % CHUNK_SIZE);
    // Most streams have no holes so large.
    const guess = (base - chunks[0].base) / CHUNK_SIZE;
    if (guess <= 0) return 0;
    if (guess < chunks.length && chunks[guess].base === base) return guess;
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chunks[middle].base < base) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts in a message: after all others, or ({@link restore}) where one was. */
  add(seq: number, subject: number, place: number, bytes: number, time: number): void {
    assert(bytes > 0 && place <= 0xffff_ffff, "an index entry has a size and a place");
    const offset = seq % CHUNK_SIZE;
    const base = seq - offset;
    let chunk = this.chunks[this.chunks.length - 1];
    if (chunk === undefined || chunk.base !== base) {
      assert(chunk === undefined || chunk.base < base, "messages are added in order");
      // Where one was filled, the next will be.
      const full = chunk !== undefined && chunk.live * 2 > CHUNK_SIZE;
      chunk = new Chunk(base, full ? CHUNK_SIZE : 0);
      this.chunks.push(chunk);
    }
    if (chunk.sparse !== undefined) chunk = this.#replace(chunk, chunk.repacked(true));
    this.#fill(chunk, offset, subject, place, bytes, time);
  }

  /** Puts back a message that was removed. */
  restore(seq: number, subject: number, place: number, bytes: number, time: number): void {
    const offset = seq % CHUNK_SIZE;
    const at = this.chunkFrom(seq);
    let chunk = this.chunks[at];
    if (chunk === undefined || chunk.base > seq) {
      chunk = new Chunk(seq - offset, 0);
      this.chunks.splice(at, 0, chunk);
    }
    if (chunk.sparse !== undefined) chunk = this.#replace(chunk, chunk.repacked(true));
    this.#fill(chunk, offset, subject, place, bytes, time);
  }

  #fill(chunk: Chunk, slot: number, subject: number, place: number, bytes: number, time: number): void {
    chunk.extend(slot);
    chunk.live += 1;
    chunk.bytes[slot] = bytes;
    chunk.place[slot] = place;
    chunk.subject[slot] = subject;
    chunk.after[slot] = 0;
    chunk.before[slot] = 0;
    chunk.time[slot] = time;
    if (time > chunk.lastTime) chunk.lastTime = time;
    this.chunk = chunk;
    this.slot = slot;
  }

  /** Takes out what {@link locate} found. */
  remove(): void {
    const { chunk, slot } = this;
    const seq = chunk.seqAt(slot);
    if (chunk.after[slot] === FAR) this.#farAfter.delete(seq);
    if (chunk.before[slot] === FAR) this.#farBefore.delete(seq);
    chunk.bytes[slot] = 0;
    chunk.live -= 1;
    if (chunk.live === 0) this.chunks.splice(this.chunkFrom(chunk.base), 1);
    else if (chunk.live * 4 <= chunk.used && chunk.used > FIRST_ROOM && !this.#isLast(chunk)) {
      this.#replace(chunk, chunk.repacked(false));
    }
  }

  #isLast(chunk: Chunk): boolean {
    return chunk === this.chunks[this.chunks.length - 1];
  }

  #replace(chunk: Chunk, by: Chunk): Chunk {
    this.chunks[this.chunkFrom(chunk.base)] = by;
    return by;
  }

  /** The neighbours that are far away, for {@link loadFar}. */
  saveFar(): SavedArray[] {
    // There are few: a distance must be beyond 2^32.
    return [Float64Array.from([...this.#farAfter].flat()), Float64Array.from([...this.#farBefore].flat())];
  }

  /** Becomes what was saved. */
  loadFar(saved: SavedArrays): void {
    for (const far of [this.#farAfter, this.#farBefore]) {
      const pairs = saved.f64();
      for (let i = 0; i < pairs.length; i += 2) far.set(pairs[i], pairs[i + 1]);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.chunks.length = 0;
    this.#farAfter.clear();
    this.#farBefore.clear();
  }

  /** The first message from `seq` on; 0 for none. */
  next(seq: number): number {
    for (let at = this.chunkFrom(seq); at < this.chunks.length; at++) {
      const chunk = this.chunks[at];
      for (let slot = chunk.slotFrom(seq); slot < chunk.used; slot++) {
        if (chunk.bytes[slot] !== 0) return chunk.seqAt(slot);
      }
    }
    return 0;
  }

  /** The bytes of all messages from `seq` on. */
  bytesFrom(seq: number): number {
    let sum = 0;
    for (let at = this.chunkFrom(seq); at < this.chunks.length; at++) {
      const { bytes, used } = this.chunks[at];
      for (let slot = this.chunks[at].slotFrom(seq); slot < used; slot++) sum += bytes[slot];
    }
    return sum;
  }

  /** The last message up to `seq`; 0 for none. */
  previous(seq: number): number {
    for (let at = Math.min(this.chunkFrom(seq), this.chunks.length - 1); at >= 0; at--) {
      const chunk = this.chunks[at];
      for (let slot = chunk.slotFrom(seq + 1) - 1; slot >= 0; slot--) {
        if (chunk.bytes[slot] !== 0) return chunk.seqAt(slot);
      }
    }
    return 0;
  }

  /** The next message on the same subject as the one that was located; 0 for none. */
  after(): number {
    const { chunk, slot } = this;
    return neighbour(chunk.seqAt(slot), chunk.after[slot], 1, this.#farAfter);
  }

  /** The one before it; 0 for none. */
  before(): number {
    const { chunk, slot } = this;
    return neighbour(chunk.seqAt(slot), chunk.before[slot], -1, this.#farBefore);
  }

  /** Says which message is next on the subject after `seq`; 0 for none. */
  setAfter(seq: number, after: number): void {
    const found = this.locate(seq);
    assert(found, "a neighbour is there");
    this.chunk.after[this.slot] = distance(seq, after, after - seq, this.#farAfter);
  }

  /** Says which message comes before `seq` on its subject; 0 for none. */
  setBefore(seq: number, before: number): void {
    const found = this.locate(seq);
    assert(found, "a neighbour is there");
    this.setBeforeHere(seq, before);
  }

  /** The same for the message `seq` that was just located, added or restored. */
  setBeforeHere(seq: number, before: number): void {
    this.chunk.before[this.slot] = distance(seq, before, seq - before, this.#farBefore);
  }
}

function neighbour(seq: number, distance: number, sign: number, far: Map<number, number>): number {
  return distance === 0 ? 0 : distance === FAR ? far.get(seq)! : seq + sign * distance;
}

function distance(seq: number, neighbour: number, away: number, far: Map<number, number>): number {
  if (far.size > 0) far.delete(seq);
  if (neighbour === 0) return 0;
  if (away < FAR) return away;
  far.set(seq, neighbour);
  return FAR;
}
