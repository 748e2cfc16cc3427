import type { Socket } from "node:net";
import { assert } from "../../protocol/assert.ts";
import type { ByteLinkHandler } from "../../seams/link.ts";
import type { SecurableLink, TlsContext, TlsOutcome } from "../../seams/tls.ts";
import { SocketLink } from "./socket-link.ts";
import { NodeTlsContext } from "./tls-context.ts";

/** A TCP socket that begins in the clear, and may change to TLS. */
export class TcpSecurableLink implements SecurableLink {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly #plain: Socket;
  #socket: Socket;
  /** Undefined during the handshake: there is nothing to write to then. */
  #link: SocketLink | undefined;
  #handler: ByteLinkHandler | undefined;

  /** @param socket - an open socket that is paused, and that nobody has read. */
  constructor(socket: Socket) {
    this.#plain = socket;
    this.#socket = socket;
    this.#link = new SocketLink(socket);
    this.remoteHost = this.#link.remoteHost;
    this.remotePort = this.#link.remotePort;
  }

  /** Node hands over each record of TLS by itself, in a call of its own, however many have come. */
  get inPieces(): boolean {
    return this.#socket !== this.#plain;
  }

  awaitFirstByte(came: (byte: number | undefined) => void): () => void {
    const socket = this.#plain;
    const stop = (): void => {
      socket.off("readable", look);
      socket.off("close", ended);
    };
    const look = (): void => {
      const bytes: Uint8Array | null = socket.read();
      if (bytes === null) return;
      stop();
      socket.unshift(bytes);
      came(bytes[0]);
    };
    const ended = (): void => {
      stop();
      came(undefined);
    };
    socket.on("readable", look);
    socket.on("close", ended);
    return stop;
  }

  secure(context: TlsContext, done: (outcome: TlsOutcome) => void): void {
    assert(context instanceof NodeTlsContext, "a TLS context belongs to its runtime");
    this.#link = undefined;
    this.#socket = context.handshake(this.#plain, (outcome) => {
      this.#link = new SocketLink(this.#socket);
      // Who has started the link meanwhile has given up on it, and waits for its end.
      if (this.#handler !== undefined) this.#begin(this.#link, this.#handler);
      done(outcome);
    });
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    if (this.#link !== undefined) this.#begin(this.#link, handler);
  }

  #begin(link: SocketLink, handler: ByteLinkHandler): void {
    link.start(handler);
    this.#socket.on("data", (bytes) => link.received(bytes));
    this.#socket.resume();
  }

  write(parts: readonly Uint8Array[]): boolean {
    return this.#link === undefined || this.#link.write(parts);
  }

  hold(held: boolean): void {
    this.#link?.hold(held);
  }

  end(): void {
    if (this.#link === undefined) this.#socket.destroy();
    else this.#link.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
