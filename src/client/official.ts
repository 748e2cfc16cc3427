import {
  type ConnectionOptions,
  errors,
  Features,
  type Msg,
  type NatsConnection,
  type Payload,
  type PublishOptions,
  parseSemVer,
} from "./core.ts";
import type { ClientMsg } from "./msg.ts";
import type { PendingRequest, RequestInbox } from "./request-inbox.ts";

/** A request of the official libraries' own making (nats-core's `RequestOne`), as far as it is used. */
export interface OfficialRequest {
  readonly token: string;
  readonly requestSubject: string;
  resolver(error: Error | null, msg: Msg): void;
}

/** Who hears of a connection's end. */
export interface CloseListener {
  connectionClosedCallback(error: Error | undefined): void;
}

/** What {@link OfficialInternals} needs of its connection. */
export interface OfficialHost extends Pick<NatsConnection, "publish" | "closed"> {
  readonly info?: { readonly version: string } | undefined;
  /** The shared inbox of requests, opened when there is none. */
  openInbox(): RequestInbox;
}

/**
 * What the official libraries for JetStream, key-value, objects and services use of a connection beyond its public interface: the inside of
 * nats-core's own. Here it is in one place, made when they first ask, and nothing else depends on it.
 */
export class OfficialInternals {
  /** The options of the connection: they read `inboxPrefix` and `noAsyncTraces`. */
  readonly options: ConnectionOptions;
  /** The shared inbox, as nats-core's requests see it. */
  readonly muxSubscriptions: { readonly baseInbox: string; cancel(request: OfficialRequest): void };
  readonly #host: OfficialHost;
  readonly #features = new Features({ major: 0, minor: 0, micro: 0 });
  readonly #requests = new Map<string, Foreign>();
  readonly #closeListeners = new Set<CloseListener>();
  #version = "";

  constructor(options: ConnectionOptions, host: OfficialHost) {
    this.options = options;
    this.#host = host;
    this.muxSubscriptions = {
      get baseInbox() {
        return host.openInbox().prefix;
      },
      cancel: ({ token }) => this.#requests.get(token)?.leave(),
    };
    void host.closed().then((error) => this.#closed(error as Error | undefined));
  }

  /** What the server can do, by its version. */
  get features(): Features {
    const version = this.#host.info?.version ?? this.#version;
    if (version !== this.#version) {
      this.#version = version;
      this.#features.update(parseSemVer(version));
    }
    return this.#features;
  }

  publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    this.#host.publish(subject, payload, options);
  }

  /** Waits for the answer to a request that they publish themselves, with a reply subject of `baseInbox` and the token. */
  request(request: OfficialRequest): OfficialRequest {
    const requests = this.#host.openInbox();
    const foreign = new Foreign(request, () => {
      requests.removeForeign(foreign);
      this.#requests.delete(request.token);
    });
    this.#requests.set(request.token, foreign);
    requests.addForeign(foreign);
    return request;
  }

  addCloseListener(listener: CloseListener): void {
    this.#closeListeners.add(listener);
  }

  removeCloseListener(listener: CloseListener): void {
    this.#closeListeners.delete(listener);
  }

  #closed(error: Error | undefined): void {
    for (const listener of this.#closeListeners) {
      try {
        listener.connectionClosedCallback(error);
      } catch {
        // Each is told, whatever the others do.
      }
    }
  }
}

/** A request with a token of its own. */
class Foreign implements PendingRequest {
  readonly subject: string;
  token: string;
  readonly leave: () => void;
  readonly #request: OfficialRequest;

  constructor(request: OfficialRequest, leave: () => void) {
    this.subject = request.requestSubject;
    this.token = request.token;
    this.leave = leave;
    this.#request = request;
  }

  answer(msg: ClientMsg): void {
    this.leave();
    this.#request.resolver(msg.noResponders ? new errors.NoRespondersError(this.subject) : null, msg);
  }

  fail(error: Error): void {
    this.leave();
    this.#request.resolver(error, {} as Msg);
  }
}
