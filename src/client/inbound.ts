import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import type { ClientMsg } from "./msg.ts";
import type { ClientSubscription } from "./subscription.ts";

/**
 * What has come from the server and waits until user code may run: messages for callbacks, in order, and after them the answers to
 * pings, which say that those have been delivered.
 */
export class Inbound extends Fifo<ClientMsg> {
  readonly #threw: (error: unknown) => void;
  readonly #awaitedPongs = new Fifo<Deferred<void>>();
  #answeredPongs: Deferred<void>[] = [];
  #flushing = false;

  /** @param threw - is told what a callback throws. */
  constructor(threw: (error: unknown) => void) {
    super();
    this.#threw = threw;
  }

  /** Runs the callbacks of all messages that have come, in the order they came. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    for (let msg = this.shift(); msg !== undefined; msg = this.shift()) {
      try {
        msg.subscription.dispatch(msg);
      } catch (error) {
        this.#threw(error);
      }
    }
    this.#flushing = false;
    if (this.#answeredPongs.length === 0) return;
    for (const pong of this.#answeredPongs.splice(0)) pong.resolve();
  }

  /** Drops the messages of a subscription, as if they had not come. */
  drop(subscription: ClientSubscription): void {
    for (let left = this.length; left > 0; left--) {
      const msg = this.shift()!;
      if (msg.subscription === subscription) subscription.skip(msg);
      else this.push(msg);
    }
  }

  /** Waits for the answer to a ping, and what has come before it. */
  awaitPong(): Promise<void> {
    const pong = deferred<void>();
    this.#awaitedPongs.push(pong);
    return pong.promise;
  }

  /** A ping has been answered. */
  pong(): void {
    const awaited = this.#awaitedPongs.shift();
    if (awaited !== undefined) this.#answeredPongs.push(awaited);
  }

  /** No ping will be answered. @param why - asked when there is one. */
  failPongs(why: () => Error): void {
    const pongs = this.#answeredPongs.splice(0);
    for (let pong = this.#awaitedPongs.shift(); pong !== undefined; pong = this.#awaitedPongs.shift())
      pongs.push(pong);
    for (const pong of pongs) pong.reject(why());
  }
}
