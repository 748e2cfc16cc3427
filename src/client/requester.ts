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
import { RequestInbox } from "./request-inbox.ts";
import { ManyRequest, SingleRequest } from "./requests.ts";
import type { ClientSubscription, SubscriptionOptions } from "./subscription.ts";

/** How long (ms) a request waits when it does not say; the official client's default. */
const REQUEST_TIMEOUT_MS = 1_000;

/** What a {@link Requester} needs of its connection. */
export interface RequestHost {
  /** @throws when no request can be made: the connection is closed or draining, or the subject cannot be. */
  checkRequest(subject: string): void;
  subscribe(subject: string, options: SubscriptionOptions): ClientSubscription;
  publishRequest(subject: string, payload: Payload, reply: string, options: PublishOptions | undefined): void;
  newInbox(): string;
}

/** Makes the requests of a connection, and has those that wait end with it. */
export class Requester {
  readonly #host: RequestHost;
  readonly #deadlines: Deadlines;
  readonly #asyncTraces: boolean;
  #shared: RequestInbox | undefined;
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
    let request: SingleRequest | undefined;
    try {
      const timeout = checkTimeout(options?.timeout);
      const trace = this.#asyncTraces ? new Error() : undefined;
      const { noMux, reply } = options ?? NO_OPTIONS;
      if (reply && !noMux)
        throw errors.InvalidArgumentError.format(["reply", "noMux"], "are mutually exclusive");
      this.#host.checkRequest(subject);
      request = new SingleRequest(subject, this.#deadlines, timeout, trace);
      this.#send(request, payload, options, reply, 1);
    } catch (error) {
      if (request === undefined) return Promise.reject(error);
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
    let request: ManyRequest | undefined;
    try {
      const maxWait = checkTimeout(options.maxWait);
      this.#host.checkRequest(subject);
      request = new ManyRequest(subject, this.#deadlines, maxWait, options);
      this.#send(request, payload, options, undefined, undefined);
    } catch (error) {
      if (request === undefined) return Promise.reject(error);
      request.fail(error as Error);
    }
    return Promise.resolve(request.answers);
  }

  #send(
    request: SingleRequest | ManyRequest,
    payload: Payload,
    options: (PublishOptions & { noMux?: boolean }) | undefined,
    reply: string | undefined,
    max: number | undefined,
  ): void {
    if (options?.noMux) reply = this.#openOwn(request, reply || this.#host.newInbox(), max);
    else {
      const shared = this.open();
      shared.add(request);
      request.home = shared;
      reply = shared.prefix + request.token;
    }
    this.#host.publishRequest(request.subject, payload, reply, options);
  }

  /** A subscription for one request. */
  #openOwn(request: SingleRequest | ManyRequest, inbox: string, max: number | undefined): string {
    const subscription = this.#host.subscribe(inbox, {
      max,
      callback: (error, msg) => {
        if (error !== null) request.fail(error);
        else request.answer(msg as ClientMsg);
      },
    });
    subscription.requestSubject = request.subject;
    subscription.closed.then(() => request.fail(closed()));
    // Not at once: the message at hand may have been its last, and then there is nothing to tell the server.
    const leave = (): void => subscription.unsubscribe();
    request.home = { remove: () => void Promise.resolve().then(leave) };
    return inbox;
  }

  /** The shared inbox, subscribed to when the first request needs it. */
  open(): RequestInbox {
    if (this.#shared === undefined || this.#inbox?.isClosed()) {
      const shared = new RequestInbox(this.#host.newInbox());
      this.#shared = shared;
      this.#inbox = this.#host.subscribe(shared.subject, {
        callback: (error, msg) => {
          if (error === null) shared.dispatch(msg as ClientMsg);
        },
      });
    }
    return this.#shared;
  }

  /** The server does not allow what a request needs. */
  denied(error: PermissionViolationError): void {
    this.#shared?.denied(error);
  }

  /** Those that share the inbox get no answer any more. */
  failAll(error: Error): void {
    this.#shared?.failAll(error);
  }

  /** The connection has ended. */
  close(): void {
    if (this.#shared !== undefined) this.failAll(closed());
    this.#deadlines.close();
  }
}

const NO_OPTIONS: Partial<RequestOptions> = {};

function closed(): Error {
  return new errors.RequestError("connection closed");
}

function checkTimeout(timeout: number | undefined): number {
  const settled = timeout || REQUEST_TIMEOUT_MS;
  if (settled < 1) throw errors.InvalidArgumentError.format("timeout", "must be greater than 0");
  return settled;
}
