import type { RemovalWatcher, StreamIndex } from "./stream-index.ts";
import type { SubjectFilter } from "./subject-filter.ts";

/** So much is done in one call of {@link LiveCount.catchUp}: a message costs 1, a subject that the filter sees first its {@link SubjectFilter.work}. */
const STEP = 16 * 1024;

/**
 * How many messages match from a position on, kept right whatever is stored and removed. Messages that are new are looked at when it is
 * asked to catch up, and only then.
 */
export class LiveCount implements RemovalWatcher {
  readonly #stream: StreamIndex;
  readonly #filter: SubjectFilter;
  #from: number;
  /** The next one to be looked at. */
  #at: number;
  #count = 0;

  /** Made by a store's `liveCount`. */
  constructor(stream: StreamIndex, filter: SubjectFilter, from: number) {
    this.#stream = stream;
    this.#filter = filter;
    this.#from = this.#at = from;
    stream.watchers.add(this);
  }

  /** How many there are, as far as it has looked. */
  get count(): number {
    return this.#count;
  }

  /** Looks at what it has not seen; returns whether that was all, or it has to be called again after others had their turn. */
  catchUp(): boolean {
    const { lastSeq } = this.#stream;
    if (this.#at > lastSeq) return true;
    return this.#shortcut() || this.#walk(lastSeq);
  }

  #shortcut(): boolean {
    const { firstSeq, lastSeq, messages, subjectTable } = this.#stream;
    const { all, literal } = this.#filter;
    // Nothing has been counted, so all that there is can be taken at once.
    const fresh = this.#at === this.#from;
    if (all) {
      if (!fresh || this.#at > firstSeq) return false;
      this.#count = messages;
    } else if (literal !== undefined) {
      const id = subjectTable.find(literal);
      const there = id >= 0 && subjectTable.last(id) >= this.#at;
      if (there && (!fresh || this.#at > subjectTable.first(id))) return false;
      if (there) this.#count = subjectTable.messages(id);
    } else return false;
    this.#at = lastSeq + 1;
    return true;
  }

  #walk(lastSeq: number): boolean {
    const { index } = this.#stream;
    const { chunks } = index;
    const filter = this.#filter;
    let steps = STEP + filter.work;
    for (let i = index.chunkFrom(this.#at); i < chunks.length; i++) {
      const chunk = chunks[i];
      const { bytes, subject, used } = chunk;
      const first = chunk.slotFrom(this.#at);
      if (filter.all && first === 0) {
        this.#count += chunk.live;
      } else {
        let slot = first;
        for (; slot < used && steps > filter.work; slot++, steps--) {
          if (bytes[slot] !== 0 && filter.takes(subject[slot])) this.#count += 1;
        }
        if (slot < used) {
          this.#at = chunk.seqAt(slot);
          return false;
        }
      }
      if (used > 0) this.#at = Math.max(this.#at, chunk.seqAt(used - 1) + 1);
      if (steps <= filter.work && i + 1 < chunks.length) return false;
    }
    this.#at = lastSeq + 1;
    return true;
  }

  /** Counts from here on, further on than before; of those that are left behind, `matching` match. */
  moveTo(from: number, matching: number): void {
    this.#from = from;
    if (this.#at <= from) {
      this.#at = from;
      this.#count = 0;
    } else this.#count -= matching;
  }

  /** Counts anew, from anywhere. */
  restart(from: number): void {
    this.#from = this.#at = from;
    this.#count = 0;
  }

  removed(seq: number, subject: number): void {
    if (seq >= this.#from && seq < this.#at && this.#filter.takes(subject)) this.#count -= 1;
  }

  restored(seq: number, subject: number): void {
    if (seq >= this.#from && seq < this.#at && this.#filter.takes(subject)) this.#count += 1;
  }

  cleared(): void {
    this.#count = 0;
  }

  /** The numbers from `seq` on will be given out again. */
  retracted(seq: number): void {
    if (this.#at > seq) this.#at = Math.max(seq, this.#from);
  }

  /** It is not used any more. */
  close(): void {
    this.#stream.watchers.delete(this);
  }
}
