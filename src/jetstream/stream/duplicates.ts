import { decodeText, encodeText } from "../../protocol/text.ts";
import type { StreamStore } from "../../storage/store.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";

/** Bytes of a sequence in a note, before the id. */
const SEQ_BYTES = 8;
/** Ids that have gone are cleared out of the list when there are so many of them, and more than are left. */
const SWEEP_MIN = 1_024;

/**
 * The ids of messages of late, so that a message that comes once more is known (behaviour.md D.4). They are kept beside the messages, as notes
 * of the store, and outlive them.
 */
export class DuplicateWindow {
  readonly #store: StreamStore;
  readonly #seqs = new Map<string, number>();
  // Columns of one table, in order of the times.
  #ids: string[] = [];
  #seen: number[] = [];
  #times: number[] = [];
  #first = 0;
  #window: number;
  /** The id of the stream's last message; "" when it has none. */
  lastId = "";

  /** @param window - for how long ids are remembered, in ms; 0 for not at all. */
  constructor(store: StreamStore, window: number, now: number) {
    this.#store = store;
    this.#window = window;
    const { lastSeq } = store.state;
    for (const { time, bytes } of store.notes()) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const seq = view.getFloat64(0, true);
      // What was refused has given its number to another message.
      if (seq > lastSeq || time < now - window) continue;
      const id = decodeText(bytes, SEQ_BYTES, bytes.length);
      this.#remember(id, seq, time);
      this.lastId = seq === lastSeq ? id : this.lastId;
    }
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
      if (id !== "" && !this.#seqs.has(id)) missing.push({ id, seq, time: message.time });
      // Only the last can be without its id, or those of one batch.
      if (!values.has(HEADERS.batchId)) break;
    }
    for (const { id, seq, time } of missing.reverse()) this.add(id, seq, time);
  }

  /** How many there are. */
  get size(): number {
    return this.#seqs.size;
  }

  /** The sequence of the message that has had the id; 0 for none. */
  seqOf(id: string, now: number): number {
    this.expire(now);
    return this.#seqs.get(id) ?? 0;
  }

  /** A message has been stored, or left out because nobody wants it. @param id - "" for none. */
  add(id: string, seq: number, now: number): void {
    this.lastId = id;
    if (id === "" || this.#window === 0) return;
    const text = encodeText(id);
    const bytes = new Uint8Array(SEQ_BYTES + text.length);
    new DataView(bytes.buffer).setFloat64(0, seq, true);
    bytes.set(text, SEQ_BYTES);
    this.#store.note(bytes, now);
    this.#remember(id, seq, now);
  }

  #remember(id: string, seq: number, time: number): void {
    this.#seqs.set(id, seq);
    this.#ids.push(id);
    this.#seen.push(seq);
    this.#times.push(time);
  }

  /** All from a sequence on have come to nothing. */
  retract(seq: number): void {
    let left = this.#ids.length;
    for (; left > 0 && this.#seen[left - 1] >= seq; left--) this.#seqs.delete(this.#ids[left - 1]);
    this.#ids.length = left;
    this.#seen.length = left;
    this.#times.length = left;
    this.#first = Math.min(this.#first, left);
    this.lastId = left > 0 && this.#seen[left - 1] === seq - 1 ? this.#ids[left - 1] : "";
  }

  /** Another window. */
  configure(window: number, now: number): void {
    this.#window = window;
    this.expire(now);
  }

  /** When the oldest id may be forgotten, in ms since the epoch; undefined when there is none. */
  get nextExpiry(): number | undefined {
    return this.#first < this.#ids.length ? this.#times[this.#first] + this.#window : undefined;
  }

  /** Forgets what is old. */
  expire(now: number): void {
    const horizon = now - this.#window;
    while (this.#first < this.#ids.length && this.#times[this.#first] <= horizon) {
      const id = this.#ids[this.#first];
      // It may have come again since.
      if (this.#seqs.get(id) === this.#seen[this.#first]) this.#seqs.delete(id);
      this.#first += 1;
    }
    if (this.#first < SWEEP_MIN || this.#first * 2 < this.#ids.length) return;
    this.#ids = this.#ids.slice(this.#first);
    this.#seen = this.#seen.slice(this.#first);
    this.#times = this.#times.slice(this.#first);
    this.#first = 0;
  }
}
