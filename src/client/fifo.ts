/** First in, first out. The array is used again when all is taken, as long as it is not one that a burst has made long. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  push(item: T): void {
    this.#items[this.#tail++] = item;
  }

  /** The first item, which is taken out; undefined when there is none. */
  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const items = this.#items;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === this.#tail) {
      // Setting an array's length is slower than all the rest of this: places are reused instead.
      if (items.length > REUSED_MAX) this.#items = [];
      this.#head = this.#tail = 0;
    } else if (this.#head >= REUSED_MAX && this.#head * 2 >= this.#tail) {
      this.#items = items.slice(this.#head, this.#tail);
      this.#tail -= this.#head;
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = this.#tail = 0;
  }
}

const REUSED_MAX = 16_384;
