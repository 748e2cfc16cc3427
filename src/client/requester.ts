import type { Clock } from "../seams/clock.ts";
import {
  errors,
  type Msg,
  type Payload,
  type PermissionViolationError,
  type PublishOptions,
  type RequestManyOptions,
  type RequestOptions,
} from "./core.ts";
import { Deadlines } from "./deadlines.ts";
import type { ClientMsg } from "./msg.ts";
import { ManyRequest, Requests, SingleRequest } from "./requests.ts";
import type { ClientSubscription, SubscriptionOptions } from "./subscription.ts";

/** How long (ms) a request waits when it does not say; the official client's default. */
const REQUEST_TIMEOUT_MS = 1_000;

/** What a {@link Requester} needs of its connection. */
export interface RequestHost {
  /** @throws when no request can be made: the connection is closed or draining, or the subject cannot be. */
  check(subject: string): void;
  subscribe(subject: string, options: SubscriptionOptions): ClientSubscription;
  publish(subject: string, payload: Payload, reply: string, options: PublishOptions | undefined): void;
  newInbox(): string;
}

/** Makes the requests of a connection, and has those that wait end with it. */
export class Requester {
  readonly #host: RequestHost;
  readonly #deadlines: Deadlines;
  readonly #asyncTraces: boolean;
  #requests: Requests | undefined;
  #inbox: ClientSubscription | undefined;

  /** @param asyncTraces - whether errors say where the request was made. */
  constructor(host: RequestHost, clock: Clock, asyncTraces: boolean) {
    this.#host = host;
    this.#deadlines = new Deadlines(clock);
    this.#asyncTraces = asyncTraces;
  }

  /** The subscription that all share; undefined before the first request. */
  get inbox(): ClientSubscription | undefined {
    return this.#inbox;
  }

  /** See `Connection.request`. */
  request(subject: string, payload: Payload, options: RequestOptions | undefined): Promise<Msg> {
    let request: SingleRequest;
    try {
      const timeout = checkTimeout(options?.timeout);
      const trace = this.#asyncTraces ? new Error() : undefined;
      if (options?.noMux) return this.#alone(subject, payload, options, timeout, trace);
      if (options?.reply)
        throw errors.InvalidArgumentError.format(["reply", "noMux"], "are mutually exclusive");
      const requests = this.open(subject);
      request = new SingleRequest(subject, requests, this.#deadlines, timeout, trace);
      try {
        this.#host.publish(subject, payload, requests.prefix + request.token, options);
      } catch (error) {
        request.abandon(error as Error);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return request.promise;
  }

  /** A request with a subscription of its own. */
  #alone(
    subject: string,
    payload: Payload,
    options: RequestOptions,
    timeout: number,
    trace: Error | undefined,
  ): Promise<Msg> {
    this.#host.check(subject);
    const subscription = this.#host.subscribe(options.reply ?? this.#host.newInbox(), {
      max: 1,
      callback: (error, msg) => {
        if (error !== null) request.fail(error);
        else request.answer(msg as ClientMsg);
      },
    });
    // Not before: once it is made it has a deadline, and somebody must wait for it.
    const request = new SingleRequest(subject, undefined, this.#deadlines, timeout, trace);
    subscription.requestSubject = subject;
    subscription.closed.then(() => request.fail(new errors.RequestError("connection closed")));
    const over = (): void => subscription.unsubscribe();
    request.promise.then(over, over);
    try {
      this.#host.publish(subject, payload, subscription.subject, options);
    } catch (error) {
      request.abandon(error as Error);
    }
    return request.promise;
  }

  /** See `Connection.requestMany`. */
  requestMany(
    subject: string,
    payload: Payload,
    options: Partial<RequestManyOptions>,
  ): Promise<AsyncIterable<Msg>> {
    try {
      const maxWait = checkTimeout(options.maxWait);
      const settled = { ...options, strategy: options.strategy ?? "timer", maxWait };
      const requests = this.open(subject);
      if (settled.noMux) return Promise.resolve(this.#manyAlone(subject, payload, settled));
      const request: ManyRequest = new ManyRequest(subject, settled, this.#deadlines, () =>
        requests.remove(request),
      );
      requests.add(request);
      try {
        this.#host.publish(subject, payload, requests.prefix + request.token, settled);
      } catch (error) {
        request.fail(error as Error);
      }
      return Promise.resolve(request.answers);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #manyAlone(subject: string, payload: Payload, options: Partial<RequestManyOptions>): AsyncIterable<Msg> {
    const subscription = this.#host.subscribe(this.#host.newInbox(), {
      callback: (error, msg) => {
        if (error !== null) request.fail(error);
        else request.answer(msg as ClientMsg);
      },
    });
    const request = new ManyRequest(subject, options, this.#deadlines, () => subscription.unsubscribe());
    subscription.requestSubject = subject;
    subscription.closed.then(() => request.fail(new errors.RequestError("connection closed")));
    try {
      this.#host.publish(subject, payload, subscription.subject, options);
    } catch (error) {
      request.fail(error as Error);
    }
    return request.answers;
  }

  /** The shared inbox, subscribed to when the first request needs it. */
  open(subject: string): Requests {
    this.#host.check(subject);
    if (this.#requests === undefined || this.#inbox?.isClosed()) {
      const requests = new Requests(this.#host.newInbox());
      this.#requests = requests;
      this.#inbox = this.#host.subscribe(requests.subject, {
        callback: (error, msg) => {
          if (error === null) requests.dispatch(msg as ClientMsg);
        },
      });
    }
    return this.#requests;
  }

  /** The server does not allow what a request needs. */
  denied(error: PermissionViolationError): void {
    this.#requests?.denied(error);
  }

  /** Those that share the inbox get no answer any more. */
  failAll(error: Error): void {
    this.#requests?.failAll(error);
  }

  /** The connection has ended. */
  close(): void {
    this.failAll(new errors.RequestError("connection closed"));
    this.#deadlines.close();
  }
}

function checkTimeout(timeout: number | undefined): number {
  const settled = timeout || REQUEST_TIMEOUT_MS;
  if (settled < 1) throw errors.InvalidArgumentError.format("timeout", "must be greater than 0");
  return settled;
}
