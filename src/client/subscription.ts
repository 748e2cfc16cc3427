import {
  type SubscriptionOptions as CoreSubscriptionOptions,
  errors,
  type Msg,
  type MsgCallback,
  type Subscription,
} from "@nats-io/nats-core";
import type { Timer } from "../seams/clock.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { ItemIterator } from "./item-iterator.ts";
import type { ClientMsg } from "./msg.ts";

/** nats.go's limits of what may wait for a subscription. */
export const PENDING_MSGS = 500_000;
export const PENDING_BYTES = 64 * 1024 * 1024;

/** Options of `subscribe`: those of the official client, and how much may wait for a slow subscriber. */
export interface SubscriptionOptions extends CoreSubscriptionOptions {
  /** Messages that may wait; more are dropped, counted and reported. Default 500,000. */
  pendingMsgs?: number;
  /** Bytes of headers and payloads that may wait; likewise. Default 67,108,864. */
  pendingBytes?: number;
}

/** What a subscription needs of its connection. */
export interface SubscriptionHost {
  readonly isClosed: boolean;
  /** Says `UNSUB`. */
  unsubscribe(subscription: ClientSubscription, max: number | undefined): void;
  /** Says `UNSUB`, and resolves when all that the server had sent before has come. */
  drainSubscription(subscription: ClientSubscription): Promise<void>;
  /** The subscription has ended. */
  ended(subscription: ClientSubscription): void;
  /** More waits than should; messages are being dropped if the limits are reached. */
  slow(subscription: ClientSubscription, pending: number): void;
  after(delay: number, action: () => void): Timer;
}

/** A subscription: messages come to its callback, or to `for await`. */
export class ClientSubscription implements Subscription {
  sid: number;
  subject: string;
  readonly queue: string | undefined;
  /** The subject of a request that this subscription waits for the answer of: permission errors on it end the wait. */
  requestSubject: string | undefined;
  /** The user's callback, or what pushes into the iterator. */
  callback: MsgCallback<Msg>;
  readonly #host: SubscriptionHost;
  readonly #closed: Deferred<undefined | Error> = deferred();
  readonly #iterator: ItemIterator<ClientMsg> | undefined;
  readonly #pendingMsgsMax: number;
  readonly #pendingBytesMax: number;
  readonly #slow: number | undefined;
  #max: number | undefined;
  #received = 0;
  /** How many of these came before the server at hand was told of the subscription: it counts from 0. */
  #receivedBefore = 0;
  #processed = 0;
  #dropped = 0;
  #pendingMsgs = 0;
  #pendingBytes = 0;
  #slowReported = false;
  #draining: Promise<void> | undefined;
  #isClosed = false;
  #timer: Timer | undefined;

  /** @throws errors.InvalidArgumentError when an option is not what it may be. */
  constructor(host: SubscriptionHost, sid: number, subject: string, options: SubscriptionOptions) {
    this.#host = host;
    this.sid = sid;
    this.subject = subject;
    this.queue = options.queue || undefined;
    this.#max = positive("max", options.max);
    this.#pendingMsgsMax = positive("pendingMsgs", options.pendingMsgs) ?? PENDING_MSGS;
    this.#pendingBytesMax = positive("pendingBytes", options.pendingBytes) ?? PENDING_BYTES;
    if (typeof options.callback === "function") {
      this.callback = options.callback;
    } else {
      this.#slow = options.slow;
      const iterator = this.#newIterator();
      this.#iterator = iterator;
      this.callback = (error, msg) => {
        if (error) iterator.end(error);
        else iterator.push(msg as ClientMsg);
      };
    }
    const timeout = positive("timeout", options.timeout);
    if (timeout !== undefined) this.#timer = host.after(timeout, () => this.#timedOut());
  }

  #newIterator(): ItemIterator<ClientMsg> {
    return new ItemIterator<ClientMsg>(
      (error) => this.#iteratorDone(error),
      (msg) => this.#taken(msg),
    );
  }

  get closed(): Promise<undefined | Error> {
    return this.#closed.promise;
  }

  /** Messages that were dropped because too many waited. */
  getDropped(): number {
    return this.#dropped;
  }

  getSubject(): string {
    return this.subject;
  }

  getReceived(): number {
    return this.#received;
  }

  getProcessed(): number {
    return this.#processed;
  }

  /** Messages that have come and wait. */
  getPending(): number {
    return this.#pendingMsgs;
  }

  getID(): number {
    return this.sid;
  }

  getMax(): number | undefined {
    return this.#max;
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** Ends the subscription now, or once it has got `max` messages in all. */
  unsubscribe(max?: number): void {
    if (this.#isClosed || this.#host.isClosed) return;
    const limit = positive("max", max);
    const left = limit === undefined ? 0 : limit - this.#receivedBefore;
    this.#host.unsubscribe(this, left > 0 ? left : undefined);
    this.#max = limit;
    if (limit === undefined || this.#received >= limit) this.close();
  }

  /** Ends the subscription once all messages that were on their way have been processed (by a callback) or queued (for an iterator). */
  drain(): Promise<void> {
    if (this.#host.isClosed) return Promise.reject(new errors.ClosedConnectionError());
    if (this.#isClosed) {
      return Promise.reject(new errors.InvalidOperationError("subscription is already closed"));
    }
    this.#draining ??= this.#host.drainSubscription(this).then(
      () => this.close(),
      () => this.close(),
    );
    return this.#draining;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed && !this.#host.isClosed) await this.drain();
  }

  [Symbol.asyncIterator](): AsyncIterator<Msg> {
    if (this.#iterator === undefined) {
      throw new errors.InvalidOperationError("iterator cannot be used when a callback is registered");
    }
    return this.#iterator;
  }

  // For the connection.

  /** A server is about to be told of it: how many messages it may deliver; undefined for any number, 0 when it need not be told. */
  begin(): number | undefined {
    this.#receivedBefore = this.#received;
    if (this.#draining !== undefined) return 0;
    return this.#max === undefined ? undefined : Math.max(0, this.#max - this.#received);
  }

  /** A message that it was to be given is dropped, as if it had not come. */
  skip(msg: ClientMsg): void {
    this.#received -= 1;
    this.#pendingMsgs -= 1;
    this.#pendingBytes -= msg.byteLength;
  }

  /** It has another id and subject from now on, and takes `max` more messages. */
  move(sid: number, subject: string, max: number | undefined): void {
    this.sid = sid;
    this.subject = subject;
    this.#max = max === undefined || max === 0 ? undefined : this.#received + max;
  }

  /** Whether a message that has come is for this subscription still; counts it, and drops it when too many wait. */
  admit(bytes: number): boolean {
    if (this.#isClosed || (this.#max !== undefined && this.#received >= this.#max)) return false;
    this.#received += 1;
    if (this.#timer !== undefined) this.cancelTimeout();
    if (this.#pendingMsgs >= this.#pendingMsgsMax || this.#pendingBytes + bytes > this.#pendingBytesMax) {
      this.#dropped += 1;
      this.#reportSlow();
      this.#endAtMax();
      return false;
    }
    this.#pendingMsgs += 1;
    this.#pendingBytes += bytes;
    return true;
  }

  /** For an iterator: the message waits here. For a callback: false, and the connection calls {@link dispatch} in its turn. */
  enqueue(msg: ClientMsg): boolean {
    if (this.#iterator === undefined) return false;
    this.#iterator.push(msg);
    if (this.#slow !== undefined && this.#pendingMsgs > this.#slow) this.#reportSlow();
    this.#endAtMax();
    return true;
  }

  /** Calls the callback; what it throws comes out. */
  dispatch(msg: ClientMsg): void {
    this.#pendingMsgs -= 1;
    this.#pendingBytes -= msg.byteLength;
    if (this.#isClosed) return;
    this.#processed += 1;
    if (this.#slowReported) this.#calmDown();
    try {
      this.callback(null, msg);
    } finally {
      if (this.#max !== undefined) this.#endAtMax();
    }
  }

  /** The subscription ends: the callback is not called again; an iterator still gives what waits. */
  close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.cancelTimeout();
    this.#host.ended(this);
    if (this.#iterator === undefined) this.#closed.resolve(error);
    else this.#iterator.end(error);
  }

  /** The server does not allow it: the callback or the reader is told, and it ends. */
  fail(error: Error): void {
    if (this.#isClosed) return;
    try {
      if (this.#iterator === undefined) this.callback(error, NO_MSG);
    } finally {
      this.close(error);
    }
  }

  /** The connection was closed. An iterator still gives what waits, and ends without an error, which is the connection's to tell. */
  abort(error?: Error): void {
    this.#closed.resolve(error);
    this.close();
  }

  cancelTimeout(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #timedOut(): void {
    const error = new errors.TimeoutError();
    if (this.#iterator === undefined) this.callback(error, NO_MSG);
    if (!this.#isClosed) {
      if (!this.#host.isClosed) this.#host.unsubscribe(this, undefined);
      this.close(error);
    }
  }

  #taken(msg: ClientMsg): void {
    this.#pendingMsgs -= 1;
    this.#pendingBytes -= msg.byteLength;
    this.#processed += 1;
    if (this.#slowReported) this.#calmDown();
  }

  #iteratorDone(error: Error | undefined): void {
    this.#pendingMsgs = 0;
    this.#pendingBytes = 0;
    if (!this.#isClosed) {
      // The reader left the loop.
      if (!this.#host.isClosed) this.#host.unsubscribe(this, undefined);
      this.#isClosed = true;
      this.cancelTimeout();
      this.#host.ended(this);
    }
    this.#closed.resolve(error);
  }

  /** An iterator takes in all that it may and gives it out later; a callback is done when it has been called. */
  #endAtMax(): void {
    if (this.#max === undefined) return;
    const count = this.#iterator === undefined ? this.#processed + this.#dropped : this.#received;
    if (count >= this.#max) this.close();
  }

  #reportSlow(): void {
    if (this.#slowReported) return;
    this.#slowReported = true;
    this.#host.slow(this, this.#pendingMsgs);
  }

  /** Reports anew only after the queue has been well below the mark. */
  #calmDown(): void {
    const mark = this.#slow ?? this.#pendingMsgsMax >> 1;
    if (this.#pendingMsgs <= mark && this.#pendingBytes <= this.#pendingBytesMax >> 1)
      this.#slowReported = false;
  }
}

/** What a callback gets in place of a message when it is told an error: as in the official client, an object without anything. */
const NO_MSG = {} as Msg;

/** The number; undefined when none is given, which 0 and null mean, too. */
function positive(option: string, value: number | null | undefined): number | undefined {
  if (value === undefined || value === null || value === 0) return undefined;
  if (typeof value === "number" && value > 0) return value;
  throw errors.InvalidArgumentError.format(option, "must be greater than 0");
}
