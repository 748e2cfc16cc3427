import { errors, type Msg, type RequestManyOptions } from "./core.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { ItemIterator } from "./item-iterator.ts";
import type { ClientMsg } from "./msg.ts";
import type { PendingRequest } from "./request-inbox.ts";

/** Where a request's answers come to: the shared inbox, or a subscription of its own. */
export interface RequestHome {
  /** The request wants no more answers. */
  remove(request: PendingRequest): void;
}

/** What requests have in common: an end at a time of their own, and somewhere to leave then. */
abstract class Request extends Deadline implements PendingRequest {
  readonly subject: string;
  token = "";
  home: RequestHome | undefined = undefined;
  protected readonly deadlines: Deadlines;

  constructor(subject: string, deadlines: Deadlines, timeout: number) {
    super();
    this.subject = subject;
    this.deadlines = deadlines;
    deadlines.set(this, timeout);
  }

  answer(msg: ClientMsg): void {
    if (msg.noResponders) this.fail(new errors.NoRespondersError(this.subject));
    else this.take(msg);
  }

  /** No more answers are wanted. */
  protected leave(): void {
    this.home?.remove(this);
    this.deadlines.clear(this);
  }

  protected abstract take(msg: ClientMsg): void;
  abstract fail(error: Error): void;
}

/** A request with one answer. */
export class SingleRequest extends Request {
  readonly promise: Promise<Msg>;
  /** Where the request was made: the error says so, not where it was found to have failed. */
  readonly #trace: Error | undefined;
  #resolve!: (msg: Msg) => void;
  #reject!: (error: Error) => void;

  constructor(subject: string, deadlines: Deadlines, timeout: number, trace: Error | undefined) {
    super(subject, deadlines, timeout);
    this.#trace = trace;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  protected take(msg: ClientMsg): void {
    this.leave();
    this.#resolve(msg);
  }

  /** Errors of a request are told as `RequestError` with the cause; time-outs as they are. Like the official client. */
  fail(error: Error): void {
    this.abandon(
      error instanceof errors.TimeoutError
        ? error
        : new errors.RequestError(error.message, {
            cause: error instanceof errors.RequestError ? error.cause : error,
          }),
    );
  }

  /** The same, with the error as it is: the publish itself was refused. */
  abandon(error: Error): void {
    const trace = this.#trace?.stack;
    if (trace !== undefined)
      error.stack = `${error.name}: ${error.message}\n${trace.split("\n").slice(1).join("\n")}`;
    this.leave();
    this.#reject(error);
  }

  expire(): void {
    this.fail(new errors.TimeoutError());
  }
}

/** The pause after which a "stall" request ends, in ms. */
const STALL_MS = 300;

/** A request with any number of answers: a strategy says when there are enough. */
export class ManyRequest extends Request {
  readonly answers: ItemIterator<ClientMsg> = new ItemIterator<ClientMsg>(() => this.leave());
  readonly #options: Partial<RequestManyOptions>;
  readonly #stall: Stall = new Stall(() => this.expire());
  #left: number;

  constructor(subject: string, deadlines: Deadlines, timeout: number, options: Partial<RequestManyOptions>) {
    super(subject, deadlines, timeout);
    this.#options = options;
    const max = options.strategy === "count" ? (options.maxMessages ?? 0) : 0;
    this.#left = max > 0 ? max : Number.POSITIVE_INFINITY;
  }

  protected take(msg: ClientMsg): void {
    const { strategy, stall } = this.#options;
    this.answers.push(msg);
    this.#left -= 1;
    if (this.#left <= 0 || (strategy === "sentinel" && msg.data.length === 0)) this.expire();
    else if (strategy === "stall") {
      this.deadlines.clear(this.#stall);
      this.deadlines.set(this.#stall, stall ?? STALL_MS);
    }
  }

  fail(error: Error): void {
    this.leave();
    this.answers.end(error);
  }

  expire(): void {
    this.leave();
    this.answers.end();
  }

  protected override leave(): void {
    super.leave();
    this.deadlines.clear(this.#stall);
  }
}

class Stall extends Deadline {
  readonly expire: () => void;

  constructor(expire: () => void) {
    super();
    this.expire = expire;
  }
}
