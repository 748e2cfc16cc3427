import { assert } from "../protocol/assert.ts";
import { HASH_PRIME } from "../protocol/hash.ts";
import { decodeText, encodeText, sameAscii } from "../protocol/text.ts";
import { IdTable } from "./id-table.ts";
import type { SavedArray, SavedArrays } from "./saved-arrays.ts";

/** How many subjects there is room for at first; small, as there may be thousands of streams. */
const FIRST_ROOM = 16;
/** Texts are packed anew when so many bytes, and half of all, belong to subjects that are gone. */
const WASTE_BYTES = 64 * 1024;
/** How many texts are kept as strings: those read last. A power of two. */
const STRINGS = 1024;

/**
 * The subjects of a stream's messages, each with a small number: its id, which is given to another subject once it is free. An entry
 * takes 30 bytes, 8 to 16 in the table that finds it, and its text; nothing of it is an object, so the garbage collector never looks at it.
 */
export class SubjectTable {
  /** How many subjects there are. */
  count = 0;
  /** All ids are below this. */
  limit = 0;
  /** By id: how many messages; 0 for an id that is free. */
  messages: Uint32Array = new Uint32Array(FIRST_ROOM);
  /** By id: the first message's sequence. */
  first: Float64Array = new Float64Array(FIRST_ROOM);
  /** By id: the last message's sequence. */
  last: Float64Array = new Float64Array(FIRST_ROOM);
  #hashes: Int32Array = new Int32Array(FIRST_ROOM);
  #textStarts: Uint32Array = new Uint32Array(FIRST_ROOM);
  #textLengths: Uint16Array = new Uint16Array(FIRST_ROOM);
  readonly #ids = new IdTable();
  #texts: Uint8Array = new Uint8Array(FIRST_ROOM * 16);
  #textEnd = 0;
  #waste = 0;
  #free: number[] = [];
  #seed: number;
  readonly #strings: (string | undefined)[] = [];
  readonly #stringIds = new Int32Array(STRINGS).fill(-1);

  /** @param seed - what hashes begin with: one that nobody knows, so that nobody can choose subjects that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** The id of a subject, -1 when there is none. */
  find(subject: string): number {
    const hash = this.#hashText(subject);
    if (hash === undefined) {
      const bytes = encodeText(subject);
      return this.#findBytes(bytes, 0, bytes.length, this.#hashBytes(bytes, 0, bytes.length));
    }
    const part = this.#ids.part(hash);
    const mask = part.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const id = part[place] - 1;
      if (id < 0) return -1;
      const start = this.#textStarts[id];
      if (
        this.#hashes[id] === hash &&
        sameAscii(subject, this.#texts, start, start + this.#textLengths[id])
      ) {
        return id;
      }
    }
  }

  /** The id of a subject; it gets one if it has none. */
  intern(subject: string): number {
    const id = this.find(subject);
    if (id >= 0) return id;
    const bytes = encodeText(subject);
    return this.#insert(bytes, 0, bytes.length, this.#hashBytes(bytes, 0, bytes.length));
  }

  /** The id of the subject `bytes[start, end)`; it gets one if it has none. */
  internBytes(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hashBytes(bytes, start, end);
    const id = this.#findBytes(bytes, start, end, hash);
    return id >= 0 ? id : this.#insert(bytes, start, end, hash);
  }

  /** The text of a subject that is there. */
  text(id: number): string {
    const at = id & (STRINGS - 1);
    if (this.#stringIds[at] === id) return this.#strings[at]!;
    const start = this.#textStarts[id];
    const text = decodeText(this.#texts, start, start + this.#textLengths[id]);
    this.#stringIds[at] = id;
    this.#strings[at] = text;
    return text;
  }

  /** How many bytes a subject's text has. */
  textLength(id: number): number {
    return this.#textLengths[id];
  }

  /** Forgets a subject that has no messages; its id is free for another. */
  release(id: number): void {
    assert(this.messages[id] === 0, "a subject that is released has no messages");
    this.#ids.remove(id, this.#hashes);
    this.#stringIds[id & (STRINGS - 1)] = -1;
    this.#waste += this.#textLengths[id];
    this.#textLengths[id] = 0;
    this.#free.push(id);
    this.count -= 1;
  }

  /** All there is, for {@link load}. */
  save(): SavedArray[] {
    return [
      Uint32Array.of(this.#seed, this.count, this.limit, this.#textEnd, this.#waste),
      this.messages.subarray(0, this.limit),
      this.first.subarray(0, this.limit),
      this.last.subarray(0, this.limit),
      this.#hashes.subarray(0, this.limit),
      this.#textStarts.subarray(0, this.limit),
      this.#textLengths.subarray(0, this.limit),
      this.#texts.subarray(0, this.#textEnd),
      ...this.#ids.save(),
    ];
  }

  /** Becomes what was saved. */
  load(saved: SavedArrays): void {
    const numbers = saved.u32();
    [, this.count, this.limit, this.#textEnd, this.#waste] = numbers;
    this.#seed = numbers[0] | 0;
    this.messages = saved.u32();
    this.first = saved.f64();
    this.last = saved.f64();
    this.#hashes = saved.i32();
    this.#textStarts = saved.u32();
    this.#textLengths = saved.u16();
    this.#texts = saved.u8();
    this.#ids.load(saved);
    this.#free = [];
    for (let id = 0; id < this.limit; id++) if (this.messages[id] === 0) this.#free.push(id);
  }

  /** Forgets all subjects. */
  clear(): void {
    this.count = 0;
    this.limit = 0;
    this.messages = new Uint32Array(FIRST_ROOM);
    this.first = new Float64Array(FIRST_ROOM);
    this.last = new Float64Array(FIRST_ROOM);
    this.#hashes = new Int32Array(FIRST_ROOM);
    this.#textStarts = new Uint32Array(FIRST_ROOM);
    this.#textLengths = new Uint16Array(FIRST_ROOM);
    this.#ids.clear();
    this.#texts = new Uint8Array(FIRST_ROOM * 16);
    this.#textEnd = 0;
    this.#waste = 0;
    this.#free = [];
    this.#strings.length = 0;
    this.#stringIds.fill(-1);
  }

  #findBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const part = this.#ids.part(hash);
    const mask = part.length - 1;
    const length = end - start;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const id = part[place] - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] !== hash || this.#textLengths[id] !== length) continue;
      const at = this.#textStarts[id];
      let i = 0;
      while (i < length && this.#texts[at + i] === bytes[start + i]) i += 1;
      if (i === length) return id;
    }
  }

  #insert(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    if (this.#textEnd + length > this.#texts.length) this.#makeTextRoom(length);
    const id = this.#free.pop() ?? this.limit++;
    if (id >= this.messages.length) this.#makeRoom();
    this.#texts.set(bytes.subarray(start, end), this.#textEnd);
    this.#textStarts[id] = this.#textEnd;
    this.#textLengths[id] = length;
    this.#textEnd += length;
    this.#hashes[id] = hash;
    this.messages[id] = 0;
    this.first[id] = 0;
    this.last[id] = 0;
    this.count += 1;
    this.#ids.insert(id, this.#hashes);
    return id;
  }

  #makeRoom(): void {
    const room = Math.max(FIRST_ROOM, this.messages.length * 2);
    this.messages = grown(this.messages, new Uint32Array(room));
    this.first = grown(this.first, new Float64Array(room));
    this.last = grown(this.last, new Float64Array(room));
    this.#hashes = grown(this.#hashes, new Int32Array(room));
    this.#textStarts = grown(this.#textStarts, new Uint32Array(room));
    this.#textLengths = grown(this.#textLengths, new Uint16Array(room));
  }

  #makeTextRoom(length: number): void {
    const old = this.#texts;
    const live = this.#textEnd - this.#waste;
    const pack = this.#waste > WASTE_BYTES && this.#waste * 2 > this.#textEnd;
    const room = pack
      ? Math.max(old.length, live + length)
      : Math.max(old.length * 2, this.#textEnd + length);
    const texts = new Uint8Array(room);
    if (!pack) {
      texts.set(old.subarray(0, this.#textEnd));
    } else {
      let end = 0;
      for (let id = 0; id < this.limit; id++) {
        const start = this.#textStarts[id];
        texts.set(old.subarray(start, start + this.#textLengths[id]), end);
        this.#textStarts[id] = end;
        end += this.#textLengths[id];
      }
      this.#textEnd = end;
      this.#waste = 0;
    }
    this.#texts = texts;
  }

  /** The hash of a text that is ASCII; undefined for another. */
  #hashText(text: string): number | undefined {
    let hash = this.#seed;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return undefined;
      hash = Math.imul(hash ^ code, HASH_PRIME);
    }
    return mixed(hash);
  }

  #hashBytes(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.#seed;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], HASH_PRIME);
    return mixed(hash);
  }
}

/** Spreads a hash, so that its low bits depend on all of it. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function grown<T extends Uint32Array | Float64Array | Int32Array | Uint16Array>(old: T, roomier: T): T {
  roomier.set(old);
  return roomier;
}
