import { assert } from "../protocol/assert.ts";
import { EMPTY } from "../protocol/text.ts";
import type { SavedArray, SavedArrays } from "./saved-arrays.ts";

/** A page has room for 2^18 bytes: for more than the longest text. */
const PAGE_BITS = 18;
const PAGE_BYTES = 1 << PAGE_BITS;
const FIRST_ROOM = 256;
/** Texts are worth packing when so many bytes, and half of all, belong to none. */
const WASTE_BYTES = 256 * 1024;

/** Bytes of texts, one after the other. */
interface Page {
  bytes: Uint8Array;
  used: number;
  /** Bytes of texts that are there. */
  live: number;
  /** Whether its texts are being moved to others. */
  old: boolean;
}

/**
 * Texts of subjects, each at a place: a number of 32 bits. They lie in pages, so that no growth takes long. A page of which nothing is left
 * is given back.
 */
export class TextPages {
  #pages: Page[] = [];
  readonly #free: number[] = [];
  #current = -1;
  #used = 0;
  #live = 0;

  /** The bytes among which a text is, from {@link offset} on. */
  bytes(place: number): Uint8Array {
    return this.#pages[place >>> PAGE_BITS].bytes;
  }

  /** Where among its bytes a text begins. */
  offset(place: number): number {
    return place & (PAGE_BYTES - 1);
  }

  /** Adds the text `bytes[start, end)`, and returns its place. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const page = this.#room(length);
    const place = (this.#current * PAGE_BYTES + page.used) >>> 0;
    for (let i = 0; i < length; i++) page.bytes[page.used + i] = bytes[start + i];
    page.used += length;
    page.live += length;
    this.#used += length;
    this.#live += length;
    return place;
  }

  /** Takes out a text. */
  remove(place: number, length: number): void {
    const number = place >>> PAGE_BITS;
    const page = this.#pages[number];
    page.live -= length;
    this.#live -= length;
    if (page.live === 0 && number !== this.#current) this.#giveBack(number);
  }

  #giveBack(number: number): void {
    this.#used -= this.#pages[number].used;
    this.#pages[number] = { bytes: EMPTY, used: 0, live: 0, old: false };
    this.#free.push(number);
  }

  /** Whether so much is wasted that the texts should be packed. */
  get wasteful(): boolean {
    const waste = this.#used - this.#live;
    return waste > WASTE_BYTES && waste * 2 > this.#used;
  }

  /** Begins to pack: what is in {@link isOld} pages is to be moved. */
  beginPacking(): void {
    const current = this.#current;
    this.#current = -1;
    if (current >= 0 && this.#pages[current].live === 0) this.#giveBack(current);
    for (const page of this.#pages) page.old = page.used > 0;
  }

  /** Whether a text is in a page that is to be given back. */
  isOld(place: number): boolean {
    return this.#pages[place >>> PAGE_BITS].old;
  }

  /** Moves a text to another page, and returns its new place. */
  move(place: number, length: number): number {
    const start = this.offset(place);
    const moved = this.add(this.bytes(place), start, start + length);
    this.remove(place, length);
    return moved;
  }

  #room(length: number): Page {
    const current = this.#pages[this.#current];
    if (current !== undefined && current.used + length <= current.bytes.length) return current;
    if (current !== undefined && current.bytes.length < PAGE_BYTES && current.used + length <= PAGE_BYTES) {
      const bytes = new Uint8Array(
        Math.min(PAGE_BYTES, Math.max(current.bytes.length * 2, current.used + length)),
      );
      bytes.set(current.bytes);
      current.bytes = bytes;
      return current;
    }
    const room = Math.min(PAGE_BYTES, Math.max(FIRST_ROOM, length, this.#live));
    const page: Page = { bytes: new Uint8Array(room), used: 0, live: 0, old: false };
    const before = this.#current;
    this.#current = this.#free.pop() ?? this.#pages.length;
    assert(this.#current < 2 ** 32 / PAGE_BYTES, "the texts of a stream's subjects have less than 4 GiB");
    this.#pages[this.#current] = page;
    if (current !== undefined && current.live === 0) this.#giveBack(before);
    return page;
  }

  /** All there is, a block a page, for {@link load}. */
  *save(): Generator<SavedArray[]> {
    for (const { bytes, used, live } of this.#pages) yield [Uint32Array.of(live), bytes.subarray(0, used)];
  }

  /** How many blocks {@link save} gives. */
  get blocks(): number {
    return this.#pages.length;
  }

  /** Becomes what was saved, a block at a time. */
  load(saved: SavedArrays): void {
    const [live] = saved.u32();
    const bytes = saved.u8();
    if (live === 0) this.#free.push(this.#pages.length);
    this.#pages.push({ bytes, used: bytes.length, live, old: false });
    this.#used += bytes.length;
    this.#live += live;
  }
}
