import { assert } from "../protocol/assert.ts";
import type { Clock } from "../seams/clock.ts";
import { Expiry } from "./expiry.ts";
import { MessageIndex } from "./message-index.ts";
import { type LostMessages, type StreamState, TTL_NEVER } from "./store.ts";
import { SubjectFilter } from "./subject-filter.ts";
import { SubjectTable } from "./subject-table.ts";

/** So many messages that never expire are gone through at once at most. */
const AGE_STEPS = 4096;

/** A message that was taken out of the index: all that is needed to put it back. */
export interface RemovedMessage {
  readonly seq: number;
  readonly subject: string;
  readonly place: number;
  readonly bytes: number;
  readonly time: number;
  readonly ttl: number;
}

/** Hears of messages that go and come back, inside of the call that does it: it may only take notes. */
export interface RemovalWatcher {
  /**
   * A message goes.
   * @param subject - the id of its subject.
   * @param undoable - whether it may come back: those in whose favour it goes are not on disk yet, and may be refused.
   */
  removed(seq: number, subject: number, undoable: boolean): void;
  /** A message is back that had gone. */
  restored?(seq: number, subject: number): void;
  /** All have gone. */
  cleared(): void;
  /** The numbers from `seq` on will be given out again; each of their messages was told to `removed`. */
  retracted?(seq: number): void;
}

/** What there is in a stream and where, in memory: what both kinds of store share. */
export class StreamIndex implements StreamState {
  readonly clock: Clock;
  readonly subjectTable: SubjectTable;
  readonly index = new MessageIndex();
  readonly expiry = new Expiry();
  /** Those that must know of what goes. */
  readonly watchers = new Set<RemovalWatcher>();
  readonly #filters = new Set<SubjectFilter>();
  /** All messages before this one never expire. */
  #ages = 0;
  messages = 0;
  bytes = 0;
  firstSeq = 1;
  lastSeq = 0;
  lastTime = 0;
  lost: LostMessages | undefined;

  constructor(clock: Clock, seed: number, firstSeq: number) {
    this.clock = clock;
    this.subjectTable = new SubjectTable(seed);
    this.firstSeq = firstSeq;
    this.lastSeq = firstSeq - 1;
  }

  get firstTime(): number {
    return this.messages > 0 && this.index.locate(this.firstSeq) ? this.index.chunk.time[this.index.slot] : 0;
  }

  get subjects(): number {
    return this.subjectTable.count;
  }

  get deleted(): number {
    return this.lastSeq - this.firstSeq + 1 - this.messages;
  }

  /** Makes a filter. */
  filter(patterns: readonly string[]): SubjectFilter {
    const filter = new SubjectFilter(patterns, this.subjectTable, (closed) => this.#filters.delete(closed));
    this.#filters.add(filter);
    return filter;
  }

  /** The id of a subject; filters hear of one that is new. */
  intern(subject: string): number {
    const { count } = this.subjectTable;
    const id = this.subjectTable.intern(subject);
    if (this.subjectTable.count > count) this.#announce(id);
    return id;
  }

  /** The same, from bytes. */
  internBytes(bytes: Uint8Array, start: number, end: number): number {
    const { count } = this.subjectTable;
    const id = this.subjectTable.internBytes(bytes, start, end);
    if (this.subjectTable.count > count) this.#announce(id);
    return id;
  }

  #announce(id: number): void {
    for (const filter of this.#filters) filter.forget(id);
  }

  /** Adds a message after all others. */
  add(seq: number, subject: number, place: number, bytes: number, time: number, ttl: number): void {
    assert(seq > this.lastSeq, "a message gets a sequence of its own");
    this.index.add(seq, subject, place, bytes, time);
    const { subjectTable } = this;
    const before = subjectTable.last(subject);
    if (before === 0) {
      subjectTable.setFirst(subject, seq);
    } else {
      this.index.setBeforeHere(seq, before);
      this.index.setAfter(before, seq);
    }
    subjectTable.addMessages(subject, 1);
    subjectTable.setLast(subject, seq);
    if (this.messages === 0) this.firstSeq = seq;
    this.messages += 1;
    this.bytes += bytes;
    this.lastSeq = seq;
    this.lastTime = time;
    if (ttl !== 0) this.expiry.add(seq, time, ttl);
  }

  /** Gives out sequences without messages, up to `seq`. */
  advance(seq: number): void {
    if (seq <= this.lastSeq) return;
    this.lastSeq = seq;
    if (this.messages === 0) this.firstSeq = seq + 1;
  }

  /** Removes a message that may be put back, and says what it was; undefined when there was none. */
  remove(seq: number): RemovedMessage | undefined {
    if (!this.index.locate(seq)) return undefined;
    const { chunk, slot } = this.index;
    const subject = chunk.subject[slot];
    const removed: RemovedMessage = {
      seq,
      subject: this.subjectTable.text(subject),
      place: chunk.place[slot],
      bytes: chunk.bytes[slot],
      time: chunk.time[slot],
      ttl: this.expiry.ttlOf(seq),
    };
    this.#drop(seq, true);
    return removed;
  }

  /** Removes a message that is there, for ever. */
  drop(seq: number): void {
    this.#drop(seq, false);
  }

  #drop(seq: number, undoable: boolean): void {
    const found = this.index.locate(seq);
    assert(found, "a message that is dropped is there");
    const { chunk, slot } = this.index;
    const subject = chunk.subject[slot];
    const after = this.index.after();
    const before = this.index.before();
    this.messages -= 1;
    this.bytes -= chunk.bytes[slot];
    this.index.remove();
    if (before !== 0) this.index.setAfter(before, after);
    else this.subjectTable.setFirst(subject, after);
    if (after !== 0) this.index.setBefore(after, before);
    else this.subjectTable.setLast(subject, before);
    for (const watcher of this.watchers) watcher.removed(seq, subject, undoable);
    this.subjectTable.addMessages(subject, -1);
    if (this.subjectTable.messages(subject) === 0) this.subjectTable.release(subject);
    this.expiry.remove(seq);
    if (seq === this.firstSeq) this.firstSeq = this.index.next(seq + 1) || this.lastSeq + 1;
  }

  /** Puts back a message that was removed. */
  restore(message: RemovedMessage): void {
    const { seq, place, bytes, time, ttl } = message;
    this.#ages = Math.min(this.#ages, seq);
    const subject = this.intern(message.subject);
    this.index.restore(seq, subject, place, bytes, time);
    const { subjectTable } = this;
    let before = 0;
    let after = subjectTable.first(subject);
    while (after !== 0 && after < seq) {
      before = after;
      const found = this.index.locate(after);
      assert(found, "a neighbour is there");
      after = this.index.after();
    }
    this.index.setBefore(seq, before);
    this.index.setAfter(seq, after);
    if (before === 0) subjectTable.setFirst(subject, seq);
    else this.index.setAfter(before, seq);
    if (after === 0) subjectTable.setLast(subject, seq);
    else this.index.setBefore(after, seq);
    subjectTable.addMessages(subject, 1);
    this.messages += 1;
    this.bytes += bytes;
    if (seq < this.firstSeq || this.messages === 1) this.firstSeq = seq;
    if (ttl !== 0) this.expiry.add(seq, time, ttl);
    for (const watcher of this.watchers) watcher.restored?.(seq, subject);
  }

  /** Takes back all from `seq` on, as if their numbers had never been given out. */
  retract(seq: number, lastTime: number): void {
    for (let last = this.index.previous(this.lastSeq); last >= seq; last = this.index.previous(last)) {
      this.drop(last);
    }
    this.#ages = Math.min(this.#ages, seq);
    this.lastSeq = seq - 1;
    this.lastTime = lastTime;
    if (this.messages === 0) this.firstSeq = seq;
    for (const watcher of this.watchers) watcher.retracted?.(seq);
  }

  /** Removes all messages. */
  clear(): void {
    this.index.clear();
    this.subjectTable.clear();
    this.expiry.clear();
    for (const filter of this.#filters) filter.forgetAll();
    for (const watcher of this.watchers) watcher.cleared();
    this.messages = 0;
    this.bytes = 0;
    this.firstSeq = this.lastSeq + 1;
  }

  /** Notes that messages are lost. */
  lose(first: number, last: number, bytes: number): void {
    const ranges = this.lost === undefined ? [] : [...this.lost.ranges];
    ranges.push([first, last]);
    this.lost = { ranges, bytes: (this.lost?.bytes ?? 0) + bytes };
  }

  /** The sequences without a message, as ranges. */
  *deletedRanges(): Generator<readonly [number, number]> {
    let expected = this.firstSeq;
    for (let seq = this.index.next(expected); seq !== 0; seq = this.index.next(seq + 1)) {
      if (seq > expected) yield [expected, seq - 1];
      expected = seq + 1;
    }
    if (expected <= this.lastSeq) yield [expected, this.lastSeq];
  }

  /** The first sequence stored at or after a time; `lastSeq + 1` for none. */
  seqAtTime(time: number): number {
    for (const chunk of this.index.chunks) {
      if (chunk.lastTime < time) continue;
      for (let slot = 0; slot < chunk.used; slot++) {
        if (chunk.bytes[slot] !== 0 && chunk.time[slot] >= time) return chunk.seqAt(slot);
      }
    }
    return this.lastSeq + 1;
  }

  /** The first message that is not one that never expires, or one before it: a long row of those is not gone through at once. 0 for none. */
  #firstThatAges(): number {
    let seq = this.index.next(Math.max(this.firstSeq, this.#ages));
    for (let steps = AGE_STEPS; steps > 0 && seq !== 0 && this.expiry.ttlOf(seq) === TTL_NEVER; steps--) {
      seq = this.index.next(seq + 1);
    }
    this.#ages = seq === 0 ? this.lastSeq + 1 : seq;
    return seq;
  }

  /** See `StreamStore.nextExpiry`. */
  nextExpiry(maxAge: number, ttls: boolean): number | undefined {
    const byTtl = ttls ? this.expiry.next() : undefined;
    if (maxAge === 0) return byTtl;
    const seq = this.#firstThatAges();
    if (seq === 0 || !this.index.locate(seq)) return byTtl;
    const byAge = this.index.chunk.time[this.index.slot] + maxAge;
    return byTtl === undefined || byAge < byTtl ? byAge : byTtl;
  }

  /** See `StreamStore.expired`. */
  expired(now: number, maxAge: number, limit: number, ttls: boolean): number[] {
    const due: number[] = [];
    const byAge = new Set<number>();
    if (maxAge > 0 && this.messages > 0) {
      let steps = AGE_STEPS + limit;
      let seq = this.#firstThatAges();
      for (; seq !== 0 && due.length < limit && --steps > 0; seq = this.index.next(seq + 1)) {
        this.index.locate(seq);
        if (this.index.chunk.time[this.index.slot] > now - maxAge) break;
        if (this.expiry.ttlOf(seq) === TTL_NEVER) continue;
        due.push(seq);
        if (this.expiry.size > 0) byAge.add(seq);
      }
    }
    for (const seq of ttls ? this.expiry.due(now, limit) : []) {
      if (due.length < limit && !byAge.has(seq)) due.push(seq);
    }
    return due;
  }
}
