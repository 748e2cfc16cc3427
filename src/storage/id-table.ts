import type { SavedArray, SavedArrays } from "./saved-arrays.ts";

const FIRST_ROOM = 32;
/** A part with this much room does not grow, but becomes two. */
const PART_ROOM = 2048;
/** No hash is told by more of its upper bits than these. */
const MOST_BITS = 24;
/** So many parts are saved as one block. */
const BLOCK_PARTS = 64;

/** Knows the hash of each id. */
interface Hashes {
  hashOf(id: number): number;
}

/** The ids of which the hashes begin with the same bits. */
interface Part {
  /** The id + 1 in each place; 0 in one that is free. */
  readonly ids: Int32Array;
  count: number;
  /** How many bits that are. */
  readonly bits: number;
}

function emptyPart(room: number, bits: number): Part {
  return { ids: new Int32Array(room), count: 0, bits };
}

/**
 * Finds ids by hash: open addressing with linear probing, at most half full. A large table is many small ones, by the hash's upper bits: one of
 * them that is full becomes two. So no growth takes long, however many ids there are.
 */
export class IdTable {
  /** As many of the hash's upper bits say which part an id is in. */
  #bits = 0;
  /** By those bits; a part that goes by fewer of them stands in several places, side by side. */
  #parts: Part[] = [emptyPart(FIRST_ROOM, 0)];
  #count = 1;

  /** Where ids with a hash are: from `hash & (length - 1)` on, around the end, up to a 0. An entry is the id + 1. */
  part(hash: number): Int32Array {
    return this.#partOf(hash).ids;
  }

  #partOf(hash: number): Part {
    // No shift is by 32 bits.
    return this.#parts[(hash >>> 1) >>> (31 - this.#bits)];
  }

  /** Adds an id that is not there. @param hashes - the hash of each id. */
  insert(id: number, hashes: Hashes): void {
    const hash = hashes.hashOf(id);
    let part = this.#partOf(hash);
    while ((part.count + 1) * 2 > part.ids.length) {
      this.#makeRoom(part, hash, hashes);
      part = this.#partOf(hash);
    }
    put(part, id, hash);
  }

  /** Takes out an id that is there. */
  remove(id: number, hashes: Hashes): void {
    const part = this.#partOf(hashes.hashOf(id));
    const { ids } = part;
    const mask = ids.length - 1;
    part.count -= 1;
    let place = hashes.hashOf(id) & mask;
    while (ids[place] !== id + 1) place = (place + 1) & mask;
    // Those behind move up, so that no search ends too early.
    for (let next = (place + 1) & mask; ids[next] !== 0; next = (next + 1) & mask) {
      const home = hashes.hashOf(ids[next] - 1) & mask;
      if (((next - home) & mask) < ((next - place) & mask)) continue;
      ids[place] = ids[next];
      place = next;
    }
    ids[place] = 0;
  }

  /** Makes a full part larger, or two of it. @param hash - one that belongs there. */
  #makeRoom(part: Part, hash: number, hashes: Hashes): void {
    const { ids, bits } = part;
    const divides = ids.length >= PART_ROOM && bits < MOST_BITS;
    const room = divides ? ids.length : ids.length * 2;
    const low = emptyPart(room, divides ? bits + 1 : bits);
    const high = divides ? emptyPart(room, bits + 1) : low;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] === 0) continue;
      const other = hashes.hashOf(ids[i] - 1);
      put(((other >>> (31 - bits)) & 1) === 0 ? low : high, ids[i] - 1, other);
    }
    if (divides) this.#count += 1;
    if (divides && bits === this.#bits) {
      this.#parts = this.#parts.flatMap((each) => [each, each]);
      this.#bits += 1;
    }
    const places = 2 ** (this.#bits - bits);
    const first = ((hash >>> 1) >>> (31 - bits)) * places;
    this.#parts.fill(low, first, first + places);
    if (divides) this.#parts.fill(high, first + places / 2, first + places);
  }

  /** How many blocks {@link save} gives. */
  get blocks(): number {
    return Math.ceil(this.#count / BLOCK_PARTS);
  }

  /** All there is, in blocks, for {@link load}. */
  *save(): Generator<SavedArray[]> {
    const parts = this.#parts.filter((part, i) => part !== this.#parts[i - 1]);
    for (let at = 0; at < parts.length; at += BLOCK_PARTS) {
      const some = parts.slice(at, at + BLOCK_PARTS);
      yield [
        Uint32Array.of(at, this.#bits),
        Uint32Array.from(some, ({ count }) => count),
        Uint32Array.from(some, ({ bits }) => bits),
        ...some.map(({ ids }) => ids),
      ];
    }
  }

  /** Becomes what was saved, a block at a time. */
  load(saved: SavedArrays): void {
    const [at, all] = saved.u32();
    const counts = saved.u32();
    const bits = saved.u32();
    if (at === 0) {
      this.#parts = [];
      this.#bits = all;
      this.#count = 0;
    }
    for (let i = 0; i < counts.length; i++) {
      const part: Part = { ids: saved.i32(), count: counts[i], bits: bits[i] };
      for (let places = 2 ** (all - part.bits); places > 0; places--) this.#parts.push(part);
      this.#count += 1;
    }
  }
}

function put(part: Part, id: number, hash: number): void {
  const { ids } = part;
  const mask = ids.length - 1;
  let place = hash & mask;
  while (ids[place] !== 0) place = (place + 1) & mask;
  ids[place] = id + 1;
  part.count += 1;
}
