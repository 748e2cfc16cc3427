import {
  type ConnectionOptions,
  ProtocolHandler,
  type Publisher,
  type Server,
  setTransportFactory,
  type Transport,
} from "@nats-io/nats-core/internal";
import { deferred } from "../client/deferred.ts";
import { ItemIterator } from "../client/item-iterator.ts";
import { copyOf } from "../protocol/bytes.ts";
import type { ByteLink, ByteLinkHandler } from "../seams/link.ts";
import type { Tasks } from "../seams/tasks.ts";

/** As much of the embedded server as the official client needs. */
export interface InProcessServerOfBytes {
  inProcessConn(): { accept(link: ByteLink): void };
}

/** Bytes that may wait for the client before the server takes it for slow. */
const WINDOW_BYTES = 1024 * 1024;

/** The official client's transport, over memory: NATS bytes, as over a socket, but without one. */
export class InProcessTransport implements Transport {
  readonly lang = "typescript";
  readonly version: string;
  closeError?: Error;
  readonly #server: InProcessServerOfBytes | undefined;
  readonly #tasks: Tasks;
  readonly #closed = deferred<undefined | Error>();
  readonly #incoming: ItemIterator<Uint8Array>;
  #outgoing: Uint8Array[] = [];
  #handler: ByteLinkHandler | undefined;
  #unread = 0;
  #full = false;
  #held = false;
  #planned = false;
  #isClosed = false;

  /** @param server - where to connect; undefined makes a transport that refuses to. */
  constructor(server: InProcessServerOfBytes | undefined, tasks: Tasks, version: string) {
    this.#server = server;
    this.#tasks = tasks;
    this.version = version;
    this.#incoming = new ItemIterator<Uint8Array>(
      () => {},
      (bytes) => this.#read(bytes.length),
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  connect(_server: Server, _options: ConnectionOptions): Promise<void> {
    try {
      if (this.#server === undefined) throw new Error("this connection has no server in this process");
      this.#server.inProcessConn().accept(this.#link());
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The end that the server gets. */
  #link(): ByteLink {
    return {
      remoteHost: "",
      remotePort: 0,
      start: (handler) => {
        this.#handler = handler;
      },
      write: (parts) => {
        for (const part of parts) {
          this.#unread += part.length;
          this.#incoming.push(copyOf(part, 0, part.length));
        }
        this.#full = this.#unread > WINDOW_BYTES;
        return !this.#full;
      },
      hold: (held) => {
        this.#held = held;
        if (!held) this.#sendSoon();
      },
      end: () => this.#end(undefined),
      destroy: () => this.#end(undefined),
    };
  }

  #read(bytes: number): void {
    this.#unread -= bytes;
    if (!this.#full || this.#unread > WINDOW_BYTES / 2) return;
    this.#full = false;
    this.#tasks.soon(() => this.#handler?.drained());
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.#incoming;
  }

  isEncrypted(): boolean {
    return false;
  }

  /** What the client sends reaches the server after the code that runs now: its callers do not expect callbacks meanwhile. */
  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    this.#outgoing.push(frame);
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#planned || this.#outgoing.length === 0) return;
    this.#planned = true;
    this.#tasks.soon(() => {
      this.#planned = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#held && this.#outgoing.length > 0) this.#handler?.data(this.#outgoing.shift()!);
  }

  close(error?: Error): Promise<void> {
    this.#held = false;
    // What was sent before the end counts.
    if (!this.#isClosed) this.#deliver();
    this.#end(error);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#end(undefined);
  }

  discard(): void {
    this.#end(undefined);
  }

  closed(): Promise<undefined | Error> {
    return this.#closed.promise;
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (error !== undefined) this.closeError = error;
    this.#outgoing = [];
    this.#incoming.end();
    this.#closed.resolve(error);
    this.#handler?.closed(undefined);
  }
}

/**
 * The official client's protocol handler, with a transport of its own. The official library keeps one transport factory for all
 * connections of a program, and asks it at every reconnect: setting it would turn other connections into this kind the next time they
 * reconnect, and the other way round. So the factory is left as it is; what it makes is dropped where it is stored.
 */
export class InProcessProtocolHandler extends ProtocolHandler {
  readonly #inert: () => Transport;

  constructor(
    options: ConnectionOptions,
    publisher: Publisher,
    make: () => Transport,
    inert: () => Transport,
  ) {
    super(options, publisher);
    this.#inert = inert;
    let transport: Transport | undefined;
    Object.defineProperty(this, "transport", {
      configurable: true,
      enumerable: true,
      get: () => transport,
      set: () => {
        transport = make();
      },
    });
  }

  override async dial(server: Server): Promise<void> {
    try {
      await super.dial(server);
    } catch (error) {
      if ((error as Error).message !== "transport fn is not set") throw error;
      // No other transport is in use in this program, and whichever comes will set its own.
      setTransportFactory({ factory: this.#inert });
      await super.dial(server);
    }
  }
}
