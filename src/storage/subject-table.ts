import { assert } from "../protocol/assert.ts";
import { HASH_PRIME } from "../protocol/hash.ts";
import { decodeText, encodeText, sameAscii } from "../protocol/text.ts";
import { IdTable } from "./id-table.ts";
import type { SavedArray, SavedArrays } from "./saved-arrays.ts";
import { TextPages } from "./text-pages.ts";

/** A page has the entries of 2^12 subjects, so that no growth of the table takes long. */
const PAGE_BITS = 12;
const PAGE_SIZE = 1 << PAGE_BITS;
/** How many subjects there is room for at first; small, as there may be thousands of streams. */
const FIRST_ROOM = 16;
/** How many texts are kept as strings: those read last. A power of two. */
const STRINGS = 1024;
/** While texts are packed, so many subjects are seen to with each one that is new. */
const PACK_STEPS = 16;

/** The entries of subjects whose ids follow each other. */
class Page {
  messages: Uint32Array;
  first: Float64Array;
  last: Float64Array;
  hashes: Int32Array;
  places: Uint32Array;
  lengths: Uint16Array;

  constructor(room: number) {
    this.messages = new Uint32Array(room);
    this.first = new Float64Array(room);
    this.last = new Float64Array(room);
    this.hashes = new Int32Array(room);
    this.places = new Uint32Array(room);
    this.lengths = new Uint16Array(room);
  }

  /** The same with more room. */
  grown(room: number): Page {
    const page = new Page(room);
    page.messages.set(this.messages);
    page.first.set(this.first);
    page.last.set(this.last);
    page.hashes.set(this.hashes);
    page.places.set(this.places);
    page.lengths.set(this.lengths);
    return page;
  }
}

/**
 * The subjects of a stream's messages, each with a small number: its id, which is given to another subject once it is free. An entry
 * takes 30 bytes, 8 to 16 in the table that finds it, and its text; nothing of it is an object, so the garbage collector never looks at it.
 */
export class SubjectTable {
  /** How many subjects there are. */
  count = 0;
  /** All ids are below this. */
  limit = 0;
  #pages: Page[] = [];
  #ids = new IdTable();
  #texts = new TextPages();
  /** The id that was released last; -1 for none. What was free before it stands in its place, plus one: a list of millions would keep the event loop when it grows. */
  #free = -1;
  /** The next subject whose text is to be packed; -1 when none is. */
  #packing = -1;
  #seed: number;
  /** The subject that was found last; undefined when that is gone. */
  #lastText: string | undefined;
  #lastId = -1;
  readonly #strings: (string | undefined)[] = [];
  readonly #stringIds = new Int32Array(STRINGS).fill(-1);

  /** @param seed - what hashes begin with: one that nobody knows, so that nobody can choose subjects that collide. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** How many messages a subject has; 0 for an id that is free. */
  messages(id: number): number {
    return this.#pages[id >>> PAGE_BITS].messages[id & (PAGE_SIZE - 1)];
  }

  /** The first message's sequence; 0 without messages. */
  first(id: number): number {
    return this.#pages[id >>> PAGE_BITS].first[id & (PAGE_SIZE - 1)];
  }

  /** The last message's sequence; 0 without messages. */
  last(id: number): number {
    return this.#pages[id >>> PAGE_BITS].last[id & (PAGE_SIZE - 1)];
  }

  /** Notes that a subject's messages begin with this one. */
  setFirst(id: number, seq: number): void {
    this.#pages[id >>> PAGE_BITS].first[id & (PAGE_SIZE - 1)] = seq;
  }

  /** Notes that a subject's messages end with this one. */
  setLast(id: number, seq: number): void {
    this.#pages[id >>> PAGE_BITS].last[id & (PAGE_SIZE - 1)] = seq;
  }

  /** Changes how many messages a subject has. */
  addMessages(id: number, count: number): void {
    this.#pages[id >>> PAGE_BITS].messages[id & (PAGE_SIZE - 1)] += count;
  }

  /** The hash of a subject. */
  hashOf(id: number): number {
    return this.#pages[id >>> PAGE_BITS].hashes[id & (PAGE_SIZE - 1)];
  }

  /** The id of a subject, -1 when there is none. */
  find(subject: string): number {
    // Who publishes mostly stays with one for a while.
    if (subject === this.#lastText) return this.#lastId;
    const id = this.#find(subject);
    if (id >= 0) {
      this.#lastText = subject;
      this.#lastId = id;
    }
    return id;
  }

  #find(subject: string): number {
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
      const page = this.#pages[id >>> PAGE_BITS];
      const at = id & (PAGE_SIZE - 1);
      if (page.hashes[at] !== hash || page.lengths[at] !== subject.length) continue;
      const text = page.places[at];
      const start = this.#texts.offset(text);
      if (sameAscii(subject, this.#texts.bytes(text), start, start + subject.length)) return id;
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
    const place = this.#pages[id >>> PAGE_BITS].places[id & (PAGE_SIZE - 1)];
    const start = this.#texts.offset(place);
    const text = decodeText(this.#texts.bytes(place), start, start + this.textLength(id));
    this.#stringIds[at] = id;
    this.#strings[at] = text;
    return text;
  }

  /** How many bytes a subject's text has. */
  textLength(id: number): number {
    return this.#pages[id >>> PAGE_BITS].lengths[id & (PAGE_SIZE - 1)];
  }

  /** Forgets a subject that has no messages; its id is free for another. */
  release(id: number): void {
    assert(this.messages(id) === 0, "a subject that is released has no messages");
    if (id === this.#lastId) this.#lastText = undefined;
    this.#ids.remove(id, this);
    this.#stringIds[id & (STRINGS - 1)] = -1;
    const page = this.#pages[id >>> PAGE_BITS];
    const at = id & (PAGE_SIZE - 1);
    this.#texts.remove(page.places[at], page.lengths[at]);
    page.lengths[at] = 0;
    this.#setFree(id);
    this.count -= 1;
  }

  #setFree(id: number): void {
    this.#pages[id >>> PAGE_BITS].places[id & (PAGE_SIZE - 1)] = this.#free + 1;
    this.#free = id;
  }

  /** An id that no subject has. */
  #takeFree(): number {
    const id = this.#free;
    if (id < 0) return this.limit++;
    this.#free = this.#pages[id >>> PAGE_BITS].places[id & (PAGE_SIZE - 1)] - 1;
    return id;
  }

  /** All there is, in blocks, for {@link load}. */
  *save(): Generator<readonly SavedArray[]> {
    yield [Uint32Array.of(this.#seed, this.count, this.limit, this.#texts.blocks, this.#ids.blocks)];
    for (let base = 0; base < this.limit; base += PAGE_SIZE) {
      const { messages, first, last, hashes, places, lengths } = this.#pages[base / PAGE_SIZE];
      yield [messages, first, last, hashes, places, lengths].map((each) =>
        each.subarray(0, this.limit - base),
      );
    }
    yield* this.#texts.save();
    yield* this.#ids.save();
  }

  /** Becomes what was saved. @param next - the next block; undefined when it is damaged. @returns whether all was sound. */
  async load(next: () => Promise<SavedArrays | undefined>): Promise<boolean> {
    const numbers = (await next())?.u32();
    if (numbers === undefined) return false;
    this.#seed = numbers[0] | 0;
    this.count = numbers[1];
    this.limit = numbers[2];
    for (let base = 0; base < this.limit; base += PAGE_SIZE) {
      const saved = await next();
      if (saved === undefined) return false;
      this.#loadPage(saved, base);
    }
    for (const [part, blocks] of [
      [this.#texts, numbers[3]],
      [this.#ids, numbers[4]],
    ] as const) {
      for (let i = 0; i < blocks; i++) {
        const saved = await next();
        if (saved === undefined) return false;
        part.load(saved);
      }
    }
    return true;
  }

  #loadPage(saved: SavedArrays, base: number): void {
    const page = new Page(0);
    page.messages = saved.u32();
    page.first = saved.f64();
    page.last = saved.f64();
    page.hashes = saved.i32();
    page.places = saved.u32();
    page.lengths = saved.u16();
    this.#pages.push(page);
    for (let at = 0; at < page.messages.length; at++) if (page.messages[at] === 0) this.#setFree(base + at);
  }

  /** Forgets all subjects. */
  clear(): void {
    this.count = 0;
    this.limit = 0;
    this.#pages = [];
    this.#ids = new IdTable();
    this.#texts = new TextPages();
    this.#free = -1;
    this.#packing = -1;
    this.#lastText = undefined;
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
      const page = this.#pages[id >>> PAGE_BITS];
      const at = id & (PAGE_SIZE - 1);
      if (page.hashes[at] !== hash || page.lengths[at] !== length) continue;
      const texts = this.#texts.bytes(page.places[at]);
      const from = this.#texts.offset(page.places[at]);
      let i = 0;
      while (i < length && texts[from + i] === bytes[start + i]) i += 1;
      if (i === length) return id;
    }
  }

  #insert(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const id = this.#takeFree();
    const page = this.#pageOf(id);
    const at = id & (PAGE_SIZE - 1);
    page.places[at] = this.#texts.add(bytes, start, end);
    page.lengths[at] = end - start;
    page.hashes[at] = hash;
    page.messages[at] = 0;
    page.first[at] = 0;
    page.last[at] = 0;
    this.count += 1;
    this.#ids.insert(id, this);
    if (this.#packing >= 0) this.#pack();
    else if (this.#texts.wasteful) {
      this.#texts.beginPacking();
      this.#packing = 0;
    }
    return id;
  }

  /** The page of an id, with room for it. */
  #pageOf(id: number): Page {
    const number = id >>> PAGE_BITS;
    const page = this.#pages[number];
    if (page === undefined) return (this.#pages[number] = new Page(number === 0 ? FIRST_ROOM : PAGE_SIZE));
    if ((id & (PAGE_SIZE - 1)) < page.messages.length) return page;
    const room = Math.min(PAGE_SIZE, Math.max(FIRST_ROOM, page.messages.length * 2));
    return (this.#pages[number] = page.grown(room));
  }

  /** Moves the texts of a few subjects out of pages that are mostly waste. */
  #pack(): void {
    const end = Math.min(this.limit, this.#packing + PACK_STEPS);
    for (let id = this.#packing; id < end; id++) {
      const page = this.#pages[id >>> PAGE_BITS];
      const at = id & (PAGE_SIZE - 1);
      if (page.lengths[at] === 0 || !this.#texts.isOld(page.places[at])) continue;
      page.places[at] = this.#texts.move(page.places[at], page.lengths[at]);
    }
    this.#packing = end === this.limit ? -1 : end;
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
