import type { SavedArray, SavedArrays } from "./saved-arrays.ts";

const FIRST_ROOM = 32;
/** With more ids than this the table is divided, so that no growth of it takes long. */
const UNDIVIDED = 4096;
const PARTS = 256;
/** So many parts are saved as one block. */
const BLOCK_PARTS = 16;

/** Knows the hash of each id. */
interface Hashes {
  hashOf(id: number): number;
}

/**
 * Finds ids by hash: open addressing with linear probing, at most half full. A large table is 256 small ones, by the hash's upper bits, each of
 * which grows by itself: doubling a table of a million entries at once would keep the event loop for tens of milliseconds.
 */
export class IdTable {
  #parts: Int32Array[] = [new Int32Array(FIRST_ROOM)];
  #counts: Uint32Array = new Uint32Array(1);

  /** Where ids with a hash are: from `hash & (length - 1)` on, around the end, up to a 0. An entry is the id + 1. */
  part(hash: number): Int32Array {
    return this.#parts.length === 1 ? this.#parts[0] : this.#parts[hash >>> 24];
  }

  /** Adds an id that is not there. @param hashes - the hash of each id. */
  insert(id: number, hashes: Hashes): void {
    if (this.#parts.length === 1 && this.#counts[0] === UNDIVIDED) this.#divide(hashes);
    const at = this.#parts.length === 1 ? 0 : hashes.hashOf(id) >>> 24;
    let part = this.#parts[at];
    this.#counts[at] += 1;
    if (this.#counts[at] * 2 > part.length) {
      const grown = new Int32Array(part.length * 2);
      for (const entry of part) if (entry !== 0) put(grown, entry - 1, hashes);
      this.#parts[at] = part = grown;
    }
    put(part, id, hashes);
  }

  /** Takes out an id that is there. */
  remove(id: number, hashes: Hashes): void {
    const at = this.#parts.length === 1 ? 0 : hashes.hashOf(id) >>> 24;
    const part = this.#parts[at];
    const mask = part.length - 1;
    this.#counts[at] -= 1;
    let place = hashes.hashOf(id) & mask;
    while (part[place] !== id + 1) place = (place + 1) & mask;
    // Those behind move up, so that no search ends too early.
    for (let next = (place + 1) & mask; part[next] !== 0; next = (next + 1) & mask) {
      const home = hashes.hashOf(part[next] - 1) & mask;
      if (((next - home) & mask) < ((next - place) & mask)) continue;
      part[place] = part[next];
      place = next;
    }
    part[place] = 0;
  }

  #divide(hashes: Hashes): void {
    const [old] = this.#parts;
    this.#parts = Array.from({ length: PARTS }, () => new Int32Array(FIRST_ROOM));
    this.#counts = new Uint32Array(PARTS);
    for (const entry of old) if (entry !== 0) this.insert(entry - 1, hashes);
  }

  /** How many blocks {@link save} gives. */
  get blocks(): number {
    return Math.ceil(this.#parts.length / BLOCK_PARTS);
  }

  /** All there is, in blocks, for {@link load}. */
  *save(): Generator<SavedArray[]> {
    for (let at = 0; at < this.#parts.length; at += BLOCK_PARTS) {
      const parts = this.#parts.slice(at, at + BLOCK_PARTS);
      yield [Uint32Array.of(at, this.#parts.length), this.#counts.slice(at, at + BLOCK_PARTS), ...parts];
    }
  }

  /** Becomes what was saved, a block at a time. */
  load(saved: SavedArrays): void {
    const [at, parts] = saved.u32();
    const counts = saved.u32();
    if (at === 0) {
      this.#parts = [];
      this.#counts = new Uint32Array(parts);
    }
    this.#counts.set(counts, at);
    for (let i = 0; i < counts.length; i++) this.#parts.push(saved.i32());
  }
}

function put(part: Int32Array, id: number, hashes: Hashes): void {
  const mask = part.length - 1;
  let place = hashes.hashOf(id) & mask;
  while (part[place] !== 0) place = (place + 1) & mask;
  part[place] = id + 1;
}
