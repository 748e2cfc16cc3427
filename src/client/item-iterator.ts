import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";

/**
 * Items that one side pushes and the other takes with `for await`. It ends when it was told to and all items are taken, or at
 * once when its reader leaves the loop or it is stopped.
 */
export class ItemIterator<T> implements AsyncIterableIterator<T> {
  readonly #items = new Fifo<T>();
  readonly #taken: ((item: T) => void) | undefined;
  readonly #done: (error: Error | undefined) => void;
  #waiting: Deferred<IteratorResult<T>> | undefined;
  #ending = false;
  #ended = false;
  #error: Error | undefined;

  /**
   * @param done - called once, when nothing more will be taken; with the error the reader was given, if any.
   * @param taken - called with each item that the reader gets.
   */
  constructor(done: (error: Error | undefined) => void, taken?: (item: T) => void) {
    this.#done = done;
    this.#taken = taken;
  }

  /** How many items wait. */
  get pending(): number {
    return this.#items.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(item: T): void {
    if (this.#ending || this.#ended) return;
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#items.push(item);
      return;
    }
    this.#waiting = undefined;
    this.#taken?.(item);
    waiting.resolve({ value: item, done: false });
  }

  /** Ends after the items that wait, with an error if one is given. */
  end(error?: Error): void {
    if (this.#ending || this.#ended) return;
    this.#ending = true;
    this.#error = error;
    if (this.#items.length === 0) this.#finish();
  }

  /** Ends now: the items that wait are dropped. */
  stop(error?: Error): void {
    if (this.#ended) return;
    this.#ending = true;
    this.#error = error;
    this.#items.clear();
    this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) {
      if (this.#error === undefined) waiting.resolve({ value: undefined, done: true });
      else waiting.reject(this.#error);
      this.#done(this.#error);
      this.#error = undefined;
    } else {
      this.#done(this.#error);
    }
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift();
    if (item !== undefined) {
      this.#taken?.(item);
      // The end is told with the call after the last item, as a loop asks once more.
      return Promise.resolve({ value: item, done: false });
    }
    if (this.#ending) {
      if (!this.#ended) this.#finish();
      const error = this.#error;
      this.#error = undefined;
      return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    if (this.#waiting !== undefined) {
      return this.#waiting.promise.then(
        () => this.next(),
        () => this.next(),
      );
    }
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  /** The reader leaves the loop. */
  return(): Promise<IteratorResult<T>> {
    this.stop();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
