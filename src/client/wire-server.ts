import { BufferPool } from "../protocol/buffer-pool.ts";
import { ClientVerbWriter } from "../protocol/client-writer.ts";
import type { ConnectOptions } from "../protocol/connect-options.ts";
import { Message } from "../protocol/message.ts";
import { Outbox } from "../protocol/outbox.ts";
import { ServerVerbReader } from "../protocol/server-reader.ts";
import type { Slab } from "../protocol/slab.ts";
import type { FaultSink, ServerVerbs, Sid } from "../protocol/verbs.ts";
import type { ByteLink, ByteLinkHandler, VerbLinkServer } from "../seams/link.ts";
import type { Tasks } from "../seams/tasks.ts";

/** The client's end of a link of bytes: what the server says is given to it. */
export interface WireClient extends ServerVerbs, FaultSink {
  /** A chunk of input is done: deliver what came with it. */
  flush(): void;
  /** The link has ended: because the server ended it, or for the error. */
  lost(error: Error | undefined): void;
}

/** The server as the client sees it over a link of bytes: takes calls and writes them, reads bytes and makes calls. */
export class WireServer implements VerbLinkServer, ByteLinkHandler {
  readonly #link: ByteLink;
  readonly #client: WireClient;
  readonly #outbox: Outbox;
  readonly #writer: ClientVerbWriter;
  readonly #reader: ServerVerbReader;
  readonly #tasks: Tasks;
  #flushPlanned = false;
  #closed = false;

  constructor(link: ByteLink, client: WireClient, slab: Slab, tasks: Tasks) {
    const pool = new BufferPool();
    this.#link = link;
    this.#client = client;
    this.#tasks = tasks;
    this.#outbox = new Outbox(link, pool);
    this.#writer = new ClientVerbWriter(this.#outbox);
    this.#reader = new ServerVerbReader(client, new Message(slab), pool);
  }

  /** Begins to read. */
  start(): void {
    this.#link.start(this);
  }

  // The client says.

  connect(options: Partial<ConnectOptions>): void {
    this.#writer.connect(options);
    this.#flushSoon();
  }

  pub(message: Message): void {
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

  /** Ends the link at once: the server cannot be understood. */
  abort(): void {
    this.#closed = true;
    this.#reader.stop();
    this.#link.destroy();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.stop();
    this.#outbox.flush();
    this.#end();
  }

  #end(): void {
    // What waits behind a busy link is sent first; `drained` comes back here.
    if (!this.#outbox.busy) this.#link.end("Client Closed");
  }

  #flushSoon(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#tasks.soon(this.#flush);
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
    if (this.#closed) this.#end();
  }

  closed(error: Error | undefined): void {
    this.#closed = true;
    this.#reader.stop();
    this.#outbox.discard();
    this.#client.lost(error);
  }
}
