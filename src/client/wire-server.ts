import { BufferPool } from "../protocol/buffer-pool.ts";
import { ClientVerbWriter } from "../protocol/client-writer.ts";
import type { ConnectOptions } from "../protocol/connect-options.ts";
import { Message } from "../protocol/message.ts";
import { Outbox } from "../protocol/outbox.ts";
import { ServerVerbReader } from "../protocol/server-reader.ts";
import type { Slab } from "../protocol/slab.ts";
import type { FaultSink, ServerVerbs, Sid } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { ClientLink, TlsClientOptions } from "../seams/dial.ts";
import type { ByteLinkHandler } from "../seams/link.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { errors } from "./core.ts";
import { WriteBufferExceededError } from "./errors.ts";
import { KeepAlive, type KeepAliveListener } from "./keep-alive.ts";
import type { Settings } from "./options.ts";
import type { ServerLink } from "./server-link.ts";

/** How long (ms) a link that was closed may take to send what waits for the server, and the server to take it. */
const LINGER_MS = 5_000;
/** The same, when another link waits for it to end. */
const LEAVE_MS = 1_000;

/** The client's end of a link of bytes: what the server says is given to it. */
export interface WireClient extends ServerVerbs, FaultSink, KeepAliveListener {
  /** Where payloads that it keeps go. */
  readonly slab: Slab;
  /** A chunk of input is done: deliver what came with it. */
  flush(): void;
  /** The link has ended, and not by the client: because the server ended it, or for the error. */
  lost(error: Error | undefined): void;
}

/** The server as the client sees it over a link of bytes: takes calls and writes them, reads bytes and makes calls. */
export class WireServer implements ServerLink, ByteLinkHandler {
  readonly #link: ClientLink;
  readonly #client: WireClient;
  readonly #outbox: Outbox;
  readonly #writer: ClientVerbWriter;
  readonly #reader: ServerVerbReader;
  readonly #runtime: ClientRuntime;
  readonly #settings: Settings;
  /** What was published before there was this link is not refused. */
  #bufferSize = Number.POSITIVE_INFINITY;
  #keepAlive: KeepAlive | undefined;
  #flushPlanned = false;
  #started = false;
  #closed = false;
  #ended = false;
  #linger: Timer | undefined;
  #left: (() => void) | undefined;

  constructor(link: ClientLink, client: WireClient, runtime: ClientRuntime, settings: Settings) {
    const pool = new BufferPool();
    this.#link = link;
    this.#client = client;
    this.#runtime = runtime;
    this.#settings = settings;
    this.#outbox = new Outbox(link, pool);
    this.#writer = new ClientVerbWriter(this.#outbox);
    this.#reader = new ServerVerbReader(client, new Message(client.slab), pool);
  }

  /** Begins to read. */
  start(): void {
    this.#started = true;
    this.#link.start(this);
  }

  /** Whether what goes over the link is encrypted. */
  get encrypted(): boolean {
    return this.#link.encrypted === true;
  }

  /** Changes to TLS. @throws errors.ConnectionError when the link cannot, or the handshake fails. */
  async secure(options: TlsClientOptions, name: string): Promise<void> {
    if (this.#link.secure === undefined) {
      throw new errors.ConnectionError(
        "this link cannot be changed to TLS, and the server or option 'tls' wants it",
      );
    }
    try {
      await this.#link.secure(options, name);
    } catch (cause) {
      throw new errors.ConnectionError((cause as Error).message, { cause });
    }
  }

  accepted(): void {
    const { pingInterval, maxPingOut, writeBufferSize } = this.#settings;
    this.#bufferSize = writeBufferSize;
    this.#keepAlive = new KeepAlive(this.#runtime.clock, pingInterval, maxPingOut, this.#client);
  }

  answered(): void {
    this.#keepAlive?.answered();
  }

  // The client says.

  connect(options: Partial<ConnectOptions>): void {
    this.#writer.connect(options);
    this.#flushSoon();
  }

  get buffered(): number {
    return this.#outbox.pending;
  }

  /** @throws WriteBufferExceededError when too much waits. */
  pub(message: Message): void {
    const outbox = this.#outbox;
    if (outbox.busy && outbox.pending + message.size > this.#bufferSize)
      throw new WriteBufferExceededError(this.#bufferSize);
    this.#writer.pub(message);
    if (!this.#flushPlanned) this.#flushSoon();
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    this.#writer.sub(subject, queue, sid);
    this.#flushSoon();
  }

  unsub(sid: Sid, max: number | undefined): void {
    this.#writer.unsub(sid, max);
    this.#flushSoon();
  }

  ping(): void {
    this.#writer.ping();
    this.#flushSoon();
  }

  pong(): void {
    this.#writer.pong();
    this.#flushSoon();
  }

  abort(): void {
    if (this.#ended) return;
    this.#stop();
    this.#outbox.discard();
    this.#linger?.cancel();
    this.#link.destroy();
    // One that was never started tells nobody that it has ended.
    if (!this.#started) this.#ended = true;
    this.#left?.();
  }

  /** Ends the link once all is sent. The client hears no more of it. */
  close(): void {
    this.#close(LINGER_MS);
  }

  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#left = resolve;
      this.#close(LEAVE_MS);
    });
  }

  #close(linger: number): void {
    if (this.#closed) return;
    this.#stop();
    this.#outbox.flush();
    // A server that does not read must not keep the link, and the program, for ever.
    this.#linger = this.#runtime.clock.after(linger, () => this.abort());
    this.#endWhenSent();
  }

  /** The client hears no more. */
  #stop(): void {
    this.#closed = true;
    this.#keepAlive?.stop();
    this.#reader.stop();
  }

  #endWhenSent(): void {
    // What waits behind a busy link is sent first; `drained` comes back here.
    if (!this.#outbox.busy) this.#link.end("Client Closed");
  }

  #flushSoon(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#runtime.tasks.soon(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushPlanned = false;
    if (!this.#closed) this.#outbox.flush();
  };

  // The link tells.

  data(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#reader.read(bytes);
    this.#client.flush();
  }

  drained(): void {
    this.#outbox.drained();
    if (this.#closed && !this.#ended) this.#endWhenSent();
  }

  closed(error: Error | undefined): void {
    this.#ended = true;
    this.#linger?.cancel();
    this.#outbox.discard();
    this.#left?.();
    if (this.#closed) return;
    this.#stop();
    this.#client.lost(error);
  }
}
