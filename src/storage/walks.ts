import { Pacer } from "./pacer.ts";
import { SeqSet } from "./seq-set.ts";
import type { Count, Maybe, SubjectState } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";
import type { SubjectFilter } from "./subject-filter.ts";

/** So much is done before the clock is looked at: an entry costs 1, a subject that a filter sees first {@link SubjectFilter.work}. A walk no longer than this is done at once. */
const STEP = 4 * 1024;
/** How far a literal filter follows its subject's messages from where it was. */
const HINT_STEPS = 32;

/** How far a walk came: what it found, or where it goes on. */
class Progress {
  found = 0;
  /** 0 when the walk is over. */
  at = 0;
}

/** See `StreamStore.next`. */
export function nextMatch(stream: StreamIndex, filter: SubjectFilter, from: number): Maybe<number> {
  const seq = Math.max(from, stream.firstSeq);
  if (seq > stream.lastSeq) return 0;
  if (filter.all) return stream.index.next(seq);
  if (filter.literal !== undefined) {
    const quick = nextOnSubject(stream, filter, filter.literal, seq);
    if (quick >= 0) return quick;
  }
  const progress = new Progress();
  walkUp(stream, filter, seq, progress);
  return progress.at === 0 ? remember(filter, progress.found) : finishUp(stream, filter, progress);
}

/** See `StreamStore.previous`. */
export function previousMatch(stream: StreamIndex, filter: SubjectFilter, from: number): Maybe<number> {
  const seq = Math.min(from, stream.lastSeq);
  if (seq < stream.firstSeq) return 0;
  if (filter.all) return stream.index.previous(seq);
  if (filter.literal !== undefined) {
    const id = stream.subjectTable.find(filter.literal);
    if (id < 0 || stream.subjectTable.first(id) > seq) return 0;
    if (stream.subjectTable.last(id) <= seq) return stream.subjectTable.last(id);
  }
  const progress = new Progress();
  walkDown(stream, filter, seq, progress);
  return progress.at === 0 ? progress.found : finishDown(stream, filter, progress);
}

/** The next on one subject, if that can be said without a walk; else -1. */
function nextOnSubject(stream: StreamIndex, filter: SubjectFilter, subject: string, seq: number): number {
  const { subjectTable, index } = stream;
  const id = subjectTable.find(subject);
  if (id < 0 || subjectTable.last(id) < seq) return 0;
  if (subjectTable.first(id) >= seq) return remember(filter, subjectTable.first(id));
  let at = filter.hint;
  if (at === 0 || at > seq || !index.locate(at) || index.chunk.subject[index.slot] !== id) return -1;
  for (let steps = 0; at < seq; steps++) {
    if (steps === HINT_STEPS) return -1;
    at = index.after();
    index.locate(at);
  }
  return remember(filter, at);
}

function remember(filter: SubjectFilter, seq: number): number {
  if (seq !== 0) filter.hint = seq;
  return seq;
}

function walkUp(stream: StreamIndex, filter: SubjectFilter, from: number, progress: Progress): void {
  const { chunks } = stream.index;
  let steps = STEP + filter.work;
  progress.at = 0;
  for (let at = stream.index.chunkFrom(from); at < chunks.length; at++) {
    const chunk = chunks[at];
    const { bytes, subject, used } = chunk;
    for (let slot = chunk.slotFrom(from); slot < used; slot++) {
      if (bytes[slot] !== 0 && filter.takes(subject[slot])) {
        progress.found = chunk.seqAt(slot);
        return;
      }
      if (--steps <= filter.work) {
        progress.at = chunk.seqAt(slot) + 1;
        return;
      }
    }
  }
}

async function finishUp(stream: StreamIndex, filter: SubjectFilter, progress: Progress): Promise<number> {
  const pacer = new Pacer(stream.clock);
  while (progress.at !== 0) {
    if (pacer.due) await pacer.rest();
    walkUp(stream, filter, progress.at, progress);
  }
  return remember(filter, progress.found);
}

function walkDown(stream: StreamIndex, filter: SubjectFilter, from: number, progress: Progress): void {
  const { chunks } = stream.index;
  let steps = STEP + filter.work;
  progress.at = 0;
  for (let at = Math.min(stream.index.chunkFrom(from), chunks.length - 1); at >= 0; at--) {
    const chunk = chunks[at];
    const { bytes, subject } = chunk;
    for (let slot = chunk.slotFrom(from + 1) - 1; slot >= 0; slot--) {
      if (bytes[slot] !== 0 && filter.takes(subject[slot])) {
        progress.found = chunk.seqAt(slot);
        return;
      }
      if (--steps <= filter.work) {
        progress.at = chunk.seqAt(slot) - 1;
        return;
      }
    }
  }
}

async function finishDown(stream: StreamIndex, filter: SubjectFilter, progress: Progress): Promise<number> {
  const pacer = new Pacer(stream.clock);
  while (progress.at > 0) {
    if (pacer.due) await pacer.rest();
    walkDown(stream, filter, progress.at, progress);
  }
  return progress.found;
}

/** Counts messages that match, in steps, and takes back those that are removed while it does. */
class Counting {
  count = 0;
  at: number;
  readonly #stream: StreamIndex;
  readonly #filter: SubjectFilter;
  readonly #from: number;
  readonly #through: number;

  constructor(stream: StreamIndex, filter: SubjectFilter, from: number) {
    this.#stream = stream;
    this.#filter = filter;
    this.#from = this.at = Math.max(from, stream.firstSeq);
    this.#through = stream.lastSeq;
  }

  removed(seq: number, subject: number): void {
    if (seq >= this.#from && seq < this.at && this.#filter.takes(subject)) this.count -= 1;
  }

  cleared(): void {
    this.count = 0;
  }

  /** Goes on for a while; says whether it is done. */
  step(): boolean {
    const { chunks } = this.#stream.index;
    const filter = this.#filter;
    let steps = STEP + filter.work;
    for (let at = this.#stream.index.chunkFrom(this.at); at < chunks.length; at++) {
      const chunk = chunks[at];
      const { bytes, subject } = chunk;
      if (chunk.base > this.#through) break;
      const first = chunk.slotFrom(this.at);
      let end = chunk.slotFrom(this.#through + 1);
      if (filter.all && first === 0 && end === chunk.used) {
        this.count += chunk.live;
      } else {
        let slot = first;
        for (; slot < end && steps > filter.work; slot++, steps--) {
          if (bytes[slot] !== 0 && filter.takes(subject[slot])) this.count += 1;
        }
        end = slot;
      }
      if (end > first) this.at = chunk.seqAt(end - 1) + 1;
      if (steps <= filter.work) return this.at > this.#through;
    }
    this.at = this.#through + 1;
    return true;
  }

  async finish(): Promise<Count> {
    const pacer = new Pacer(this.#stream.clock);
    this.#stream.watchers.add(this);
    try {
      do {
        if (pacer.due) await pacer.rest();
      } while (!this.step());
    } finally {
      this.#stream.watchers.delete(this);
    }
    return { count: this.count, through: this.#through };
  }
}

/** See `StreamStore.count`. */
export function countMatches(stream: StreamIndex, filter: SubjectFilter, from: number): Maybe<Count> {
  const through = stream.lastSeq;
  if (from <= stream.firstSeq && filter.all) return { count: stream.messages, through };
  if (filter.literal !== undefined) {
    const { subjectTable } = stream;
    const id = subjectTable.find(filter.literal);
    if (id < 0 || subjectTable.last(id) < from) return { count: 0, through };
    if (from <= subjectTable.first(id)) return { count: subjectTable.messages(id), through };
  }
  const counting = new Counting(stream, filter, from);
  return counting.step() ? { count: counting.count, through } : counting.finish();
}

/** See `StreamStore.countLast`. */
export function countLast(stream: StreamIndex, filter: SubjectFilter, from: number): Maybe<Count> {
  const through = stream.lastSeq;
  let count = 0;
  const visit = (_id: number, last: number): void => {
    if (last >= from && last <= through) count += 1;
  };
  if (stream.subjectTable.limit <= STEP) {
    for (let id = 0; id < stream.subjectTable.limit; id++) visitSubject(stream, filter, id, visit);
    return { count, through };
  }
  return walkSubjects(stream, filter, visit).then(() => ({ count, through }));
}

type VisitId = (id: number, last: number) => void;

function visitSubject(stream: StreamIndex, filter: SubjectFilter, id: number, visit: VisitId): void {
  const { subjectTable } = stream;
  if (subjectTable.messages(id) !== 0 && filter.takes(id)) visit(id, subjectTable.last(id));
}

/** Visits each subject that matches, with the turns that others need. */
async function walkSubjects(stream: StreamIndex, filter: SubjectFilter, visit: VisitId): Promise<void> {
  const { subjectTable } = stream;
  if (filter.literal !== undefined) {
    const id = subjectTable.find(filter.literal);
    if (id >= 0) visitSubject(stream, filter, id, visit);
    return;
  }
  const pacer = new Pacer(stream.clock);
  for (let id = 0; id < subjectTable.limit; id++) {
    if ((id & 255) === 255 && pacer.due) await pacer.rest();
    visitSubject(stream, filter, id, visit);
  }
}

/** See `StreamStore.subject`. */
export function subjectState(stream: StreamIndex, subject: string): SubjectState | undefined {
  const id = stream.subjectTable.find(subject);
  return id < 0 ? undefined : stateOf(stream, id);
}

function stateOf(stream: StreamIndex, id: number): SubjectState {
  const { subjectTable } = stream;
  return {
    subject: subjectTable.text(id),
    messages: subjectTable.messages(id),
    firstSeq: subjectTable.first(id),
    lastSeq: subjectTable.last(id),
  };
}

/** See `StreamStore.eachSubject`. */
export async function eachSubject(
  stream: StreamIndex,
  filter: SubjectFilter,
  visit: (subject: SubjectState) => void,
): Promise<void> {
  await walkSubjects(stream, filter, (id) => visit(stateOf(stream, id)));
}

/** See `StreamStore.lastOfEach`. */
export async function lastOfEach(
  stream: StreamIndex,
  filter: SubjectFilter,
  upTo: number,
  limit: number,
): Promise<number[] | undefined> {
  const found = new SeqSet();
  const behind: number[] = [];
  let count = 0;
  await walkSubjects(stream, filter, (id, last) => {
    if (last > upTo && stream.subjectTable.first(id) > upTo) return;
    count += 1;
    if (count > limit) return;
    if (last <= upTo) found.add(last, last);
    else behind.push(id);
  });
  if (count > limit) return undefined;
  const seqs: number[] = [];
  const pacer = new Pacer(stream.clock);
  for (const id of behind) {
    const seq = await lastUpTo(stream, id, upTo, pacer);
    if (seq !== 0) found.add(seq, seq);
  }
  for (const [first, last] of found.ranges()) {
    for (let seq = first; seq <= last; seq++) seqs.push(seq);
    if (pacer.due) await pacer.rest();
  }
  return seqs;
}

/** The last message of a subject that is not above `upTo`; 0 for none. */
async function lastUpTo(stream: StreamIndex, id: number, upTo: number, pacer: Pacer): Promise<number> {
  const { subjectTable, index } = stream;
  let seq = subjectTable.last(id);
  for (let steps = 1; seq > upTo; steps++) {
    // It may have gone while others had their turn.
    seq = index.locate(seq) ? index.before() : subjectTable.last(id);
    if ((steps & 255) === 0 && pacer.due) await pacer.rest();
  }
  return seq;
}
