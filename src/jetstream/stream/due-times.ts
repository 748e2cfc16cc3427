/** What is due at some time. */
export interface DueAt {
  readonly subject: string;
  readonly seq: number;
  /** In ms since the epoch. */
  readonly time: number;
}

/** From so many on the heap is cleared of what does not count any more. */
const SWEEP_MIN = 64;

/** When things by subject are due, the first one first: a binary heap, in which those that have changed stay until they come to the top. */
export class DueTimes {
  readonly #current = new Map<string, DueAt>();
  readonly #heap: DueAt[] = [];

  /** How many there are. */
  get size(): number {
    return this.#current.size;
  }

  /** Something is due on a subject, in place of what was before. */
  set(due: DueAt): void {
    this.#current.set(due.subject, due);
    this.#push(due);
    if (this.#heap.length > SWEEP_MIN && this.#heap.length > this.#current.size * 4) this.#sweep();
  }

  #sweep(): void {
    this.#heap.length = 0;
    for (const due of this.#current.values()) this.#push(due);
  }

  #push(due: DueAt): void {
    this.#heap.push(due);
    for (let at = this.#heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.#heap[parent].time <= due.time) break;
      this.#heap[at] = this.#heap[parent];
      this.#heap[parent] = due;
      at = parent;
    }
  }

  /** Nothing is due on a subject any more. */
  delete(subject: string): void {
    this.#current.delete(subject);
  }

  /** What is due first; undefined for nothing. */
  first(): DueAt | undefined {
    while (this.#heap.length > 0 && this.#current.get(this.#heap[0].subject) !== this.#heap[0]) this.#pop();
    return this.#heap[0];
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = at * 2 + 1) {
      if (child + 1 < heap.length && heap[child + 1].time < heap[child].time) child += 1;
      if (heap[child].time >= last.time) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}
