import type { Socket } from "node:net";
import { copyOf } from "../../protocol/bytes.ts";
import type { ByteLink, ByteLinkHandler } from "../../seams/link.ts";

/** A TCP socket as {@link ByteLink}. */
export class SocketLink implements ByteLink {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  #error: Error | undefined;
  #handler: ByteLinkHandler | undefined;
  #draining = false;
  #early: Uint8Array[] = [];

  /** @param socket - an open socket that nobody else reads. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteHost = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    this.remotePort = socket.remotePort ?? 0;
    socket.setNoDelay(true);
    // A socket may fail before anybody has started the link; an error that nobody hears ends the process.
    socket.on("error", (error) => {
      this.#error ??= error;
    });
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on("close", () => handler.closed(this.#error));
    if (handler.finished !== undefined) {
      // Else Node ends our direction, too, as soon as the other end has.
      socket.allowHalfOpen = true;
      socket.on("end", () => handler.finished?.());
    }
    if (socket.destroyed) queueMicrotask(() => handler.closed(this.#error));
    for (const bytes of this.#early.splice(0)) handler.data(bytes);
  }

  /** For whoever reads the socket: hands over what came. */
  received(bytes: Uint8Array): void {
    if (this.#handler === undefined) this.#early.push(copyOf(bytes, 0, bytes.length));
    else this.#handler.data(bytes);
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    if (parts.length === 1) {
      socket.write(parts[0]);
    } else {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
    // The system takes what fits in its buffer at once; then nothing is left here, and the array is free again.
    if (socket.writableLength === 0) return true;
    if (!this.#draining) {
      this.#draining = true;
      this.#awaitDrain();
    }
    return false;
  }

  get unsent(): number {
    const { writeQueueSize } = (this.#socket as Socket & Queued)._handle ?? {};
    return writeQueueSize ?? this.#socket.writableLength;
  }

  #awaitDrain(): void {
    // Its callback comes after those of all earlier writes.
    this.#socket.write(NOTHING, () => {
      this.#draining = false;
      if (!this.#socket.destroyed) this.#handler?.drained();
    });
  }

  hold(held: boolean): void {
    if (held) this.#socket.pause();
    else this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

/** What Node's sockets have beyond their types. */
interface Queued {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

const NOTHING = new Uint8Array(0);
