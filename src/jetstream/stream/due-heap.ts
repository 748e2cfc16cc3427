/** Numbers with the times they are due: a binary heap of pairs. */
export class DueHeap {
  #heap: number[] = [];

  /** How many pairs there are. */
  get size(): number {
    return this.#heap.length >> 1;
  }

  /** When the first one is due; undefined for none. */
  get when(): number | undefined {
    return this.#heap[0];
  }

  /** The number that is due first; undefined for none. */
  get first(): number | undefined {
    return this.#heap[1];
  }

  /** Adds a pair. */
  push(when: number, seq: number): void {
    const heap = this.#heap;
    let at = heap.length >> 1;
    heap.push(when, seq);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent * 2] <= when) break;
      heap[at * 2] = heap[parent * 2];
      heap[at * 2 + 1] = heap[parent * 2 + 1];
      at = parent;
    }
    heap[at * 2] = when;
    heap[at * 2 + 1] = seq;
  }

  /** Takes the first one out. */
  pop(): void {
    const heap = this.#heap;
    const seq = heap.pop()!;
    const when = heap.pop()!;
    const size = heap.length >> 1;
    if (size === 0) return;
    let at = 0;
    for (let child = 1; child < size; child = at * 2 + 1) {
      if (child + 1 < size && heap[child * 2 + 2] < heap[child * 2]) child += 1;
      if (heap[child * 2] >= when) break;
      heap[at * 2] = heap[child * 2];
      heap[at * 2 + 1] = heap[child * 2 + 1];
      at = child;
    }
    heap[at * 2] = when;
    heap[at * 2 + 1] = seq;
  }
}
