import type { LiveCount } from "../../storage/live-count.ts";
import type { Maybe, StreamStore } from "../../storage/store.ts";
import type { SubjectFilter } from "../../storage/subject-filter.ts";
import { type ConsumerConfig, filtersOf } from "./config.ts";
import { SkipList } from "./skip-list.ts";
import { lastOfEach } from "./starting-point.ts";

/** Where a consumer is in its stream: which message comes next, and how many are left. */
export class Cursor {
  readonly #store: StreamStore;
  #filter: SubjectFilter;
  #count: LiveCount;
  #position: number;
  #last: SkipList | undefined;
  /** The messages behind those of {@link #last} begin here. */
  #behind = 0;
  #unwatch: () => void = () => {};

  /** @param position - the first message that has not been delivered. */
  constructor(store: StreamStore, config: ConsumerConfig, position: number) {
    this.#store = store;
    this.#position = position;
    this.#filter = store.filter(filtersOf(config));
    this.#count = store.liveCount(this.#filter, position);
  }

  /** Before what is behind `upTo`, only the last message on each subject is delivered. */
  async onlyLast(config: ConsumerConfig, upTo: number): Promise<void> {
    if (this.#position > upTo) return;
    const from = this.#position;
    const seqs = await lastOfEach(config, this.#store, upTo);
    const list = new SkipList(seqs.filter((seq) => seq >= from && this.#store.has(seq)));
    this.#behind = upTo + 1;
    this.#count.restart(this.#behind);
    if (list.left === 0) {
      this.#position = this.#behind;
      return;
    }
    this.#last = list;
    this.#unwatch = this.#store.watch(list);
  }

  /** The next sequence that is looked at. */
  get position(): number {
    return this.#position;
  }

  /** Whether only some subjects are wanted. */
  get filter(): SubjectFilter {
    return this.#filter;
  }

  /** Whether a message is still to come, if its subject is wanted. */
  expects(seq: number): boolean {
    return seq >= this.#position && (this.#last === undefined || seq >= this.#behind || this.#last.has(seq));
  }

  /** Counts what is left; returns whether that is done, or it has to be called again in another turn. */
  count(): boolean {
    return this.#count.catchUp();
  }

  /** How many messages are left, once {@link count} has said so. */
  get left(): number {
    return this.#count.count + (this.#last?.left ?? 0);
  }

  /** The next message that may be delivered; 0 for none, and the position is then behind all that there are. */
  next(): Maybe<number> {
    const last = this.#last?.first() ?? 0;
    if (last !== 0) return last;
    if (this.#last !== undefined) this.#endList();
    const { syncedSeq } = this.#store;
    if (this.#position > syncedSeq) return 0;
    const { lastSeq } = this.#store.state;
    const next = this.#store.next(this.#filter, this.#position);
    if (typeof next === "number") return this.#found(next, Math.min(syncedSeq, lastSeq));
    const position = this.#position;
    return next.then((seq) => {
      if (this.#position !== position || this.#last !== undefined) return 0;
      // It was a long way: it is not to be gone again.
      if (seq > position && seq <= lastSeq) this.#moveTo(Math.min(seq, syncedSeq + 1), 0);
      return this.#found(seq, Math.min(syncedSeq, lastSeq));
    });
  }

  #found(seq: number, end: number): number {
    if (seq !== 0 && seq <= end) return seq;
    // What is stored but not on disk is not there yet; nothing else is left up to here.
    if (this.#position <= end) this.#moveTo(end + 1, 0);
    return 0;
  }

  /** A message that {@link next} gave is passed. @param there - whether it is (still) there. */
  pass(seq: number, there: boolean): void {
    if (this.#last !== undefined) {
      if (this.#last.first() === seq) this.#last.shift();
      this.#position = seq + 1;
      if (this.#last.first() === 0) this.#endList();
    } else this.#moveTo(seq + 1, there ? 1 : 0);
  }

  #endList(): void {
    this.#unwatch();
    this.#last = undefined;
    this.#position = Math.max(this.#position, this.#behind);
  }

  #moveTo(position: number, matching: number): void {
    this.#position = position;
    this.#count.moveTo(position, matching);
  }

  /** Begins anew somewhere else. */
  restart(position: number): void {
    if (this.#last !== undefined) this.#endList();
    this.#position = position;
    this.#count.restart(position);
  }

  /** Nothing before `position` is left. */
  skipTo(position: number): void {
    if (this.#last !== undefined || position <= this.#position) return;
    this.restart(position);
  }

  /** Other subjects are wanted. */
  refilter(config: ConsumerConfig): void {
    this.#count.close();
    this.#filter.close();
    this.#filter = this.#store.filter(filtersOf(config));
    this.#count = this.#store.liveCount(
      this.#filter,
      this.#last === undefined ? this.#position : this.#behind,
    );
  }

  close(): void {
    this.#unwatch();
    this.#count.close();
    this.#filter.close();
  }
}
