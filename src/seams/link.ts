import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ByteSink } from "../protocol/outbox.ts";
import type { ClientVerbs, ServerVerbs } from "../protocol/verbs.ts";

/**
 * A connection that carries bytes, both ways, in order: a TCP socket, a MessagePort, a pair in memory.
 * Whoever uses it sets a {@link ByteLinkHandler} first, with {@link start}.
 */
export interface ByteLink extends ByteSink {
  /** Begins to hand over what comes. */
  start(handler: ByteLinkHandler): void;
  /** Stops or resumes handing over what comes; while stopped, the other end is held back. */
  hold(held: boolean): void;
  /**
   * Ends the connection once what was written is sent; the handler's `closed` follows.
   * @param reason - for links that can tell the other end of it.
   */
  end(reason: ClosedReason): void;
  /** Ends the connection at once; the handler's `closed` follows. */
  destroy(): void;
  /** The same, so that the other end sees a reset: for links that have such an end. */
  reset?(): void;
  /** Bytes that were written and have not left this program, where that is known: less than before means that the other end takes some. */
  readonly unsent?: number;
  /** Whether bytes that have come together may be handed over in several calls, as the records of TLS are. */
  readonly inPieces?: boolean;
  /** The other end's address, for INFO, logs and monitoring; "" where there is none. */
  readonly remoteHost: string;
  readonly remotePort: number;
}

/** What a {@link ByteLink} tells. */
export interface ByteLinkHandler {
  /** Bytes have come. The array may be used until the call returns. */
  data(bytes: Uint8Array): void;
  /** What was written is sent: the arrays that `write` held on to are free. */
  drained(): void;
  /**
   * The other end says nothing more, and may still read. Where a handler has this, and the link can tell, its own direction stays open
   * until it ends it; else the link ends both, and what waits to be sent is lost.
   */
  finished?(): void;
  /** The connection has ended; nothing follows. With an error, when it did not end by being closed. */
  closed(error: Error | undefined): void;
}

/**
 * A connection that carries the verbs as they are, with no bytes: how a client and a server in one program meet.
 */
export interface VerbLink {
  /**
   * Connects a client. The server's first call on it is `info`, before this returns.
   * @throws Error when the server takes no more connections.
   */
  open(client: VerbLinkClient): VerbLinkServer;
}

/** The client's end of a {@link VerbLink}. */
export interface VerbLinkClient extends ServerVerbs {
  /** Messages have been given with `msg`, and user code may run now: deliver them. */
  flush(): void;
  /** The server has closed the connection; nothing follows. */
  closed(reason: ClosedReason): void;
}

/** The server's end of a {@link VerbLink}. */
export interface VerbLinkServer extends ClientVerbs {
  /** The client leaves. */
  close(): void;
}
