/** First in, first out. Taking leaves a hole at the front, which is closed when half of the array is holes. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first item, which is taken out; undefined when there is none. */
  shift(): T | undefined {
    const items = this.#items;
    if (this.#head === items.length) return undefined;
    const item = items[this.#head];
    items[this.#head++] = undefined;
    if (this.#head === items.length) {
      // A short array is used again; a long one was a burst, and goes.
      if (items.length > 4_096) this.#items = [];
      else items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 16_384 && this.#head * 2 >= items.length) {
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
