import { decodeText } from "../../protocol/text.ts";
import { SubjectTable } from "../../storage/subject-table.ts";

/** Ids of more characters are kept apart: a table has texts of less than 64 KiB. */
const LONG = 16_384;
/** A table that has had more than so many ids gives its room back when none is left. */
const ROOMY = 1_024;

/** An id that is known, as {@link SeenIds} has it: its number in the table, or the id itself, if it is long. */
export type IdRef = number | string;

interface LongId {
  seq: number;
  time: number;
  uses: number;
}

/**
 * The messages that have had ids. They stand in a table as subjects of streams do, as bytes and numbers: a map of millions of ids keeps the event loop
 * for long when it grows, and so does the garbage collector, which must look at each.
 *
 * An id stays as long as it is in use: each {@link set} is a use, and is given back by {@link release}.
 */
export class SeenIds {
  readonly #table: SubjectTable;
  readonly #long = new Map<string, LongId>();

  /** @param seed - a number that nobody knows, so that nobody can choose ids that collide. */
  constructor(seed: number) {
    this.#table = new SubjectTable(seed);
  }

  /** How many ids are in use. */
  get size(): number {
    return this.#table.count + this.#long.size;
  }

  /** The message that has had an id last, unless that was up to `horizon`, in ms since the epoch; 0 for none. */
  seqOf(id: string, horizon: number): number {
    if (id.length > LONG) {
      const found = this.#long.get(id);
      return found !== undefined && found.time > horizon ? found.seq : 0;
    }
    const found = this.#table.find(id);
    return found >= 0 && this.#table.last(found) > horizon ? this.#table.first(found) : 0;
  }

  /** A message has the id. @param time - in ms since the epoch. */
  set(id: string, seq: number, time: number): IdRef {
    if (id.length > LONG) {
      const uses = (this.#long.get(id)?.uses ?? 0) + 1;
      this.#long.set(id, { seq, time, uses });
      return id;
    }
    return this.#use(this.#table.intern(id), seq, time);
  }

  /** The same for the id `bytes[start, end)`, which is as `encodeText` makes it. */
  setBytes(bytes: Uint8Array, start: number, end: number, seq: number, time: number): IdRef {
    if (end - start > LONG) return this.set(decodeText(bytes, start, end), seq, time);
    return this.#use(this.#table.internBytes(bytes, start, end), seq, time);
  }

  #use(ref: number, seq: number, time: number): number {
    const table = this.#table;
    table.addMessages(ref, 1);
    table.setFirst(ref, seq);
    table.setLast(ref, time);
    return ref;
  }

  /** The text of an id in use. */
  textOf(ref: IdRef): string {
    return typeof ref === "string" ? ref : this.#table.text(ref);
  }

  /** Ends a use. If the id was last of the message `seq`, it is not known from here on. */
  release(ref: IdRef, seq: number): void {
    if (typeof ref === "string") {
      const found = this.#long.get(ref)!;
      found.uses -= 1;
      if (found.seq === seq) found.seq = 0;
      if (found.uses === 0) this.#long.delete(ref);
      return;
    }
    const table = this.#table;
    table.addMessages(ref, -1);
    if (table.first(ref) === seq) table.setFirst(ref, 0);
    if (table.messages(ref) > 0) return;
    table.release(ref);
    if (table.count === 0 && table.limit > ROOMY) table.clear();
  }
}
