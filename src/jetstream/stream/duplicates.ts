import { writeText } from "../../protocol/text.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import { Pacer } from "../../storage/pacer.ts";
import type { StreamStore } from "../../storage/store.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { IdQueue } from "./id-queue.ts";
import { SeenIds } from "./seen-ids.ts";

/** Bytes of a sequence in a note, before the id. */
const SEQ_BYTES = 8;
const FIRST_NOTE_BYTES = 128;
/** No more ids are forgotten at once: there may be millions that have become old. Those that are left are not known all the same. */
const FORGET_STEPS = 256;
/** So many ids are read before the clock is looked at. */
const LOAD_STEPS = 64;

/**
 * The ids of messages of late, so that a message that comes once more is known (behaviour.md D.4). They are kept beside the messages, as notes
 * of the store, and outlive them.
 */
export class DuplicateWindow {
  readonly #store: StreamStore;
  readonly #ids: SeenIds;
  /** In order of the times. */
  readonly #queue = new IdQueue();
  /** Where each note is written in turn: an array for each would be work for the garbage collector. */
  #note = new DataView(new ArrayBuffer(FIRST_NOTE_BYTES));
  /** What has been forgotten last. */
  #forgotten: { readonly id: string; readonly seq: number } | undefined;
  #window: number;
  /** The id of the stream's last message; "" when it has none. */
  lastId = "";

  /** @param window - for how long ids are remembered, in ms; 0 for not at all. */
  constructor(store: StreamStore, window: number, random: Random) {
    this.#store = store;
    this.#window = window;
    const seed = new Uint8Array(4);
    random.fill(seed);
    this.#ids = new SeenIds(new DataView(seed.buffer).getInt32(0));
  }

  /** Remembers what the store has noted; once, before all else. */
  async load(clock: Clock): Promise<void> {
    const { lastSeq } = this.#store.state;
    const horizon = clock.now() - this.#window;
    const pacer = new Pacer(clock);
    let steps = 0;
    for (const { time, bytes } of this.#store.notes()) {
      if (++steps % LOAD_STEPS === 0 && pacer.due) await pacer.rest();
      if (time >= horizon) this.#noted(bytes, time, lastSeq);
    }
  }

  /** A note of the store says which message had an id. */
  #noted(bytes: Uint8Array, time: number, lastSeq: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const seq = view.getFloat64(0, true);
    // What was refused has given its number to another message.
    if (seq > lastSeq) return;
    const ref = this.#ids.setBytes(bytes, SEQ_BYTES, bytes.length, seq, time);
    this.#queue.push(ref, seq, time);
    if (seq === lastSeq) this.lastId = this.#ids.textOf(ref);
  }

  /**
   * A power cut may have come between messages that were stored last and their ids, behind them: those are read from the messages, so
   * that a publisher who was told nothing may send them again.
   */
  async recover(now: number): Promise<void> {
    const missing: { id: string; seq: number; time: number }[] = [];
    for (let seq = this.#store.state.lastSeq; seq > 0; seq--) {
      const message = await this.#store.get(seq);
      if (message === undefined || message.time < now - this.#window) break;
      const values = readHeaders(message.headers);
      const id = values.get(HEADERS.msgId) ?? "";
      if (id !== "" && this.#ids.seqOf(id, -Infinity) === 0) missing.push({ id, seq, time: message.time });
      // Only the last can be without its id, or those of one batch.
      if (!values.has(HEADERS.batchId)) break;
    }
    for (const { id, seq, time } of missing.reverse()) this.add(id, seq, time);
  }

  /** How many there are; some of them may be too old to be known. */
  get size(): number {
    return this.#ids.size;
  }

  /** The sequence of the message that has had the id; 0 for none. */
  seqOf(id: string, now: number): number {
    this.expire(now);
    return this.#ids.seqOf(id, now - this.#window);
  }

  /** A message has been stored, or left out because nobody wants it. @param id - "" for none. */
  add(id: string, seq: number, now: number): void {
    this.lastId = id;
    if (id === "" || this.#window === 0) return;
    const most = SEQ_BYTES + id.length * 3;
    if (most > this.#note.byteLength) this.#note = new DataView(new ArrayBuffer(most * 2));
    this.#note.setFloat64(0, seq, true);
    const bytes = new Uint8Array(this.#note.buffer);
    this.#store.note(bytes.subarray(0, writeText(id, bytes, SEQ_BYTES)), now);
    this.#remember(id, seq, now);
  }

  #remember(id: string, seq: number, time: number): void {
    this.#queue.push(this.#ids.set(id, seq, time), seq, time);
  }

  /** All from a sequence on have come to nothing. */
  retract(seq: number): void {
    let { last } = this.#queue;
    for (; last !== undefined && last.seq >= seq; { last } = this.#queue) {
      this.#queue.pop();
      this.#ids.release(last.ref, last.seq);
    }
    const before = last === undefined ? this.#forgotten : { id: this.#ids.textOf(last.ref), seq: last.seq };
    this.lastId = before?.seq === seq - 1 ? before.id : "";
  }

  /** Another window. */
  configure(window: number, now: number): void {
    this.#window = window;
    this.expire(now);
  }

  /** When the oldest id may be forgotten, in ms since the epoch; undefined when there is none. */
  get nextExpiry(): number | undefined {
    const { firstTime } = this.#queue;
    return firstTime === undefined ? undefined : firstTime + this.#window;
  }

  /** Forgets what is old, some of it at a time: while there is more, {@link nextExpiry} is not later than `now`. */
  expire(now: number): void {
    const horizon = now - this.#window;
    for (let steps = 0; steps < FORGET_STEPS; steps++) {
      if ((this.#queue.firstTime ?? Number.POSITIVE_INFINITY) > horizon) return;
      const { ref, seq } = this.#queue.shift();
      this.#forgotten = { id: this.#ids.textOf(ref), seq };
      this.#ids.release(ref, seq);
    }
  }
}
