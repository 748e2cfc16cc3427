import { errors, type Msg, type PermissionViolationError, type RequestManyOptions } from "@nats-io/nats-core";
import type { Deadline, Deadlines } from "./deadlines.ts";
import { ItemIterator } from "./item-iterator.ts";
import type { ClientMsg } from "./msg.ts";

/** A request that waits for an answer on the connection's shared inbox. */
export interface PendingRequest {
  readonly subject: string;
  /** The last token of its reply subject; set by {@link Requests.add}. */
  token: string;
  /** An answer, or the word that there is nobody to give one. */
  answer(msg: ClientMsg): void;
  /** There will be no answer. */
  fail(error: Error): void;
}

/**
 * All requests of a connection share one subscription, `<inbox>.*`; the last token tells which request an answer is for.
 */
export class Requests {
  /** The inbox with the dot at its end. */
  readonly prefix: string;
  /** Requests by the first part of their token. */
  readonly #slots: (PendingRequest | undefined)[] = [];
  readonly #free: number[] = [];
  /** Requests whose token somebody else has made. */
  readonly #foreign = new Map<string, PendingRequest>();
  #count = 0;

  constructor(inbox: string) {
    this.prefix = `${inbox}.`;
  }

  /** The subject of the subscription. */
  get subject(): string {
    return `${this.prefix}*`;
  }

  /** Waits for answers to `request`: gives it its token, `<slot>-<number>`. The number is new each time, as answers may come late. */
  add(request: PendingRequest): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#count += 1;
    request.token = `${slot}-${this.#count.toString(36)}`;
    this.#slots[slot] = request;
  }

  /** The request wants no more answers. */
  remove(request: PendingRequest): void {
    const slot = slotOf(request.token, 0);
    if (this.#slots[slot] !== request) return;
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /** Gives an answer to the request it is for, if that still waits. */
  dispatch(msg: ClientMsg): void {
    const { prefix } = this;
    const { subject } = msg;
    const request = this.#slots[slotOf(subject, prefix.length)];
    if (request !== undefined) {
      const { token } = request;
      if (subject.length === prefix.length + token.length && subject.endsWith(token)) {
        request.answer(msg);
        return;
      }
    }
    if (this.#foreign.size > 0) this.#foreign.get(subject.slice(prefix.length))?.answer(msg);
  }

  /** Waits for answers to a request that has a token already. */
  addForeign(request: PendingRequest): void {
    this.#foreign.set(request.token, request);
  }

  removeForeign(request: PendingRequest): void {
    this.#foreign.delete(request.token);
  }

  #waiting(): PendingRequest[] {
    return [...this.#slots.filter((request) => request !== undefined), ...this.#foreign.values()];
  }

  /** The server allows no subscription to the inbox, or no publishing to a request's subject. */
  denied(error: PermissionViolationError): void {
    for (const request of this.#waiting()) {
      if (error.operation === "subscription") {
        if (error.subject === this.subject) request.fail(error);
      } else if (request.subject === error.subject) {
        request.fail(error);
        return;
      }
    }
  }

  /** The connection ends, or is lost. */
  failAll(error: Error): void {
    for (const request of this.#waiting()) request.fail(error);
  }
}

/** The number that a token at `start` begins with; -1 if it does not. */
function slotOf(text: string, start: number): number {
  let slot = -1;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    slot = slot < 0 ? digit : slot * 10 + digit;
  }
  return slot;
}

/** A request with one answer. */
export class SingleRequest implements PendingRequest, Deadline {
  readonly subject: string;
  readonly promise: Promise<Msg>;
  dueAt = 0;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  list: Deadline["list"];
  token = "";
  readonly #requests: Requests | undefined;
  readonly #deadlines: Deadlines;
  /** Where the request was made: the error says so, not where it was found to have failed. */
  readonly #trace: Error | undefined;
  #resolve!: (msg: Msg) => void;
  #reject!: (error: Error) => void;

  /** @param requests - the shared inbox; undefined for a request that has a subscription of its own. */
  constructor(
    subject: string,
    requests: Requests | undefined,
    deadlines: Deadlines,
    timeout: number,
    trace: Error | undefined,
  ) {
    this.subject = subject;
    this.#requests = requests;
    this.#deadlines = deadlines;
    this.#trace = trace;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    requests?.add(this);
    deadlines.set(this, timeout);
  }

  answer(msg: ClientMsg): void {
    if (msg.noResponders) {
      this.fail(new errors.NoRespondersError(this.subject));
      return;
    }
    this.#leave();
    this.#resolve(msg);
  }

  fail(error: Error): void {
    this.#leave();
    this.#reject(requestError(error, this.#trace));
  }

  /** The publish itself was refused: that error is thrown as it is. */
  abandon(error: Error): void {
    this.#leave();
    this.#reject(error);
  }

  expire(): void {
    this.fail(new errors.TimeoutError());
  }

  #leave(): void {
    this.#requests?.remove(this);
    this.#deadlines.clear(this);
  }
}

/** Errors of a request are told as `RequestError` with the cause; time-outs as they are. Like the official client. */
export function requestError(error: Error, trace: Error | undefined): Error {
  const cause = error instanceof errors.RequestError ? error.cause : error;
  const told =
    error instanceof errors.TimeoutError ? error : new errors.RequestError(error.message, { cause });
  if (trace?.stack !== undefined)
    told.stack = `${told.name}: ${told.message}\n${trace.stack.split("\n").slice(1).join("\n")}`;
  return told;
}

/** The pause after which a "stall" request ends, in ms. */
const STALL_MS = 300;

/** A request with any number of answers: a strategy says when there are enough. */
export class ManyRequest implements PendingRequest {
  readonly subject: string;
  token = "";
  readonly answers: ItemIterator<ClientMsg>;
  readonly #options: Partial<RequestManyOptions>;
  readonly #total: OneShot;
  readonly #stall: OneShot;
  readonly #done: () => void;
  #left: number;

  /** @param done - called once when no more answers are wanted. */
  constructor(subject: string, options: Partial<RequestManyOptions>, deadlines: Deadlines, done: () => void) {
    this.subject = subject;
    this.#options = options;
    this.#done = done;
    const { strategy, maxMessages } = options;
    this.#left =
      strategy === "count" && maxMessages !== undefined && maxMessages > 0
        ? maxMessages
        : Number.POSITIVE_INFINITY;
    this.#total = new OneShot(deadlines, () => this.#finish());
    this.#stall = new OneShot(deadlines, () => this.#finish());
    this.#total.set(options.maxWait ?? 1000);
    this.answers = new ItemIterator<ClientMsg>(() => this.#release());
  }

  answer(msg: ClientMsg): void {
    if (msg.noResponders) {
      this.fail(new errors.NoRespondersError(this.subject));
      return;
    }
    const { strategy } = this.#options;
    this.answers.push(msg);
    this.#left -= 1;
    if (strategy === "sentinel" && msg.data.length === 0) this.#finish();
    else if (this.#left <= 0) this.#finish();
    else if (strategy === "stall") this.#stall.set(this.#options.stall ?? STALL_MS);
  }

  fail(error: Error): void {
    this.#release();
    this.answers.end(error);
  }

  #finish(): void {
    this.#release();
    this.answers.end();
  }

  #release(): void {
    this.#total.clear();
    this.#stall.clear();
    this.#done();
  }
}

/** A deadline that can be moved. */
class OneShot implements Deadline {
  dueAt = 0;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  list: Deadline["list"];
  readonly expire: () => void;
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines, expire: () => void) {
    this.#deadlines = deadlines;
    this.expire = expire;
  }

  set(duration: number): void {
    this.#deadlines.clear(this);
    this.#deadlines.set(this, duration);
  }

  clear(): void {
    this.#deadlines.clear(this);
  }
}
