import { assert } from "../protocol/assert.ts";
import { copyBytes } from "../protocol/bytes.ts";
import { EMPTY } from "../protocol/text.ts";
import type { Clock } from "../seams/clock.ts";
import { StorageError } from "./errors.ts";
import { checkMessage, IndexedStore } from "./indexed-store.ts";
import type { MessageInput, Note, RemoveOptions, StoredMessage, StoreOptions } from "./store.ts";
import { StreamIndex } from "./stream-index.ts";

const FIRST_BLOCK = 4 * 1024;
const BLOCK = 1024 * 1024;
/** Bytes before a message's headers: their length (u32), and the payload's (u32). */
const PREFIX = 8;

/** The bytes of a run of messages, one after the other, each at a multiple of 8. */
class Block {
  readonly firstSeq: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used = 0;
  /** Bytes of messages that are there. */
  live = 0;

  constructor(firstSeq: number, room: number) {
    this.firstSeq = firstSeq;
    this.bytes = new Uint8Array(room);
    this.view = new DataView(this.bytes.buffer);
  }

  /** What the message at `at` takes. */
  taken(at: number): number {
    return (PREFIX + this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) + 7) & ~7;
  }
}

/** Messages in memory: gone with the process. */
export class MemoryStore extends IndexedStore {
  readonly #blocks: Block[] = [];
  #closed: StorageError | undefined;
  #notes: Note[] = [];
  readonly #kept = new Map<string, Uint8Array>();
  #options: StoreOptions;

  /** @param seed - a number that nobody knows; see {@link StreamIndex}. */
  constructor(clock: Clock, seed: number, options: StoreOptions) {
    super(new StreamIndex(clock, seed, options.firstSeq ?? 1));
    this.#options = options;
  }

  get syncedSeq(): number {
    return this.stream.lastSeq;
  }

  get refusing(): StorageError | undefined {
    return this.#closed;
  }

  accountedBytes(subject: number, headers: number, payload: number): number {
    return subject + headers + payload + 16;
  }

  append(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    time: number,
    ttl: number = 0,
  ): number {
    if (this.#closed !== undefined) throw this.#closed;
    checkMessage(subject, time, ttl);
    const seq = this.stream.lastSeq + 1;
    const head = headers ?? EMPTY;
    const size = PREFIX + head.length + payload.length;
    const block = this.#blockFor(seq, size);
    const at = block.used;
    block.view.setUint32(at, head.length, true);
    block.view.setUint32(at + 4, payload.length, true);
    copyBytes(head, 0, head.length, block.bytes, at + PREFIX);
    copyBytes(payload, 0, payload.length, block.bytes, at + PREFIX + head.length);
    block.used = (at + size + 7) & ~7;
    block.live += block.used - at;
    const id = this.stream.intern(subject);
    const bytes = this.accountedBytes(this.stream.subjectTable.textLength(id), head.length, payload.length);
    this.stream.add(seq, id, at / 8, bytes, time, ttl);
    return seq;
  }

  appendBatch(messages: readonly MessageInput[]): number {
    const first = this.stream.lastSeq + 1;
    for (const { subject, headers, payload, time, ttl } of messages) {
      this.append(subject, headers, payload, time, ttl);
    }
    return first;
  }

  skip(count: number, time: number = 0): number {
    if (this.#closed !== undefined) throw this.#closed;
    this.stream.advance(this.stream.lastSeq + count);
    if (time > 0) this.stream.lastTime = time;
    return this.stream.lastSeq;
  }

  async flush(): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
  }

  get(seq: number): StoredMessage | undefined {
    const { index, subjectTable } = this.stream;
    if (!index.locate(seq)) return undefined;
    const { chunk, slot } = index;
    const { bytes, view } = this.#blocks[this.#blockOf(seq)];
    const at = chunk.place[slot] * 8;
    const head = at + PREFIX;
    const body = head + view.getUint32(at, true);
    return {
      seq,
      subject: subjectTable.text(chunk.subject[slot]),
      headers: body === head ? undefined : bytes.subarray(head, body),
      payload: bytes.subarray(body, body + view.getUint32(at + 4, true)),
      time: chunk.time[slot],
      ttl: this.stream.expiry.ttlOf(seq),
    };
  }

  borrow(seq: number): StoredMessage | undefined {
    return this.get(seq);
  }

  remove(seq: number, options?: RemoveOptions): boolean {
    const { index } = this.stream;
    if (this.#closed !== undefined || !index.locate(seq)) return false;
    const number = this.#blockOf(seq);
    const block = this.#blocks[number];
    const at = index.chunk.place[index.slot] * 8;
    const taken = block.taken(at);
    if (options?.erase === true) block.bytes.fill(0, at + PREFIX, at + taken);
    block.live -= taken;
    this.stream.drop(seq);
    if (number === this.#blocks.length - 1) return true;
    if (block.live === 0) this.#blocks.splice(number, 1);
    else if (block.live * 2 < block.used) this.#pack(number);
    return true;
  }

  protected clear(): void {
    this.#blocks.length = 0;
    this.stream.clear();
  }

  note(bytes: Uint8Array, time: number): void {
    this.#notes.push({ bytes: bytes.slice(), time });
    const horizon = this.stream.clock.now() - this.#options.noteAge;
    if (this.#notes[0].time < horizon && this.#notes[this.#notes.length >> 1].time < horizon) {
      this.#notes = this.#notes.filter((each) => each.time >= horizon);
    }
  }

  notes(): Iterable<Note> {
    return this.#notes;
  }

  keep(name: string, bytes: Uint8Array): void {
    this.#kept.set(name, bytes.slice());
  }

  kept(name: string): Uint8Array | undefined {
    return this.#kept.get(name);
  }

  configure(options: StoreOptions): void {
    this.#options = options;
  }

  async close(): Promise<void> {
    this.#closed ??= new StorageError("stopped", "the store is closed");
  }

  async delete(): Promise<void> {
    await this.close();
    this.#notes = [];
    this.#kept.clear();
    this.clear();
  }

  /** The block that the next message goes to. */
  #blockFor(seq: number, size: number): Block {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && last.used + size <= last.bytes.length) return last;
    const room = last === undefined ? FIRST_BLOCK : Math.min(BLOCK, last.bytes.length * 2);
    const block = new Block(seq, Math.max(room, (size + 7) & ~7));
    if (last !== undefined && last.live === 0) this.#blocks.pop();
    this.#blocks.push(block);
    return block;
  }

  #blockOf(seq: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#blocks[middle].firstSeq <= seq) low = middle;
      else high = middle - 1;
    }
    assert(low <= high, "a message that is there is in a block");
    return low;
  }

  /** Moves what is left in a block to a smaller one. */
  #pack(number: number): void {
    const old = this.#blocks[number];
    const { index } = this.stream;
    const packed = new Block(old.firstSeq, old.live);
    const end = this.#blocks[number + 1].firstSeq;
    for (let seq = index.next(old.firstSeq); seq !== 0 && seq < end; seq = index.next(seq + 1)) {
      index.locate(seq);
      const at = index.chunk.place[index.slot] * 8;
      const taken = old.taken(at);
      index.chunk.place[index.slot] = packed.used / 8;
      copyBytes(old.bytes, at, at + taken, packed.bytes, packed.used);
      packed.used += taken;
    }
    packed.live = packed.used;
    assert(packed.live === old.live, "a block's live bytes are those of its messages");
    this.#blocks[number] = packed;
  }
}
