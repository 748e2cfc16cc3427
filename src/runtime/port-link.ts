import { copyOf } from "../protocol/bytes.ts";
import type { ByteLink, ByteLinkHandler } from "../seams/link.ts";
import type { Port } from "../seams/port.ts";

/** Bytes that may be on their way to the other end without its word that it has taken them. */
const WINDOW_BYTES = 1024 * 1024;

/** What goes over the port: bytes, a number of bytes that have been taken, or the end. */
type PortMessage = Uint8Array | number | null;

/**
 * NATS bytes over a `MessagePort`, as {@link ByteLink}. A port has no back pressure of its own, so the ends keep a
 * window: each tells how many bytes it has taken, and a writer that is a window ahead waits.
 */
export class PortLink implements ByteLink {
  readonly remoteHost = "";
  readonly remotePort = 0;
  readonly #port: Port;
  #handler: ByteLinkHandler | undefined;
  #untaken = 0;
  #full = false;
  #held = false;
  #ended = false;
  #inbox: Uint8Array[] = [];

  readonly #watchClose: (closed: () => void) => void;

  /**
   * @param watchClose - has `closed` called when the platform says that the other port has gone (its worker ended,
   *   say), where it says so at all.
   */
  constructor(port: Port, watchClose: (closed: () => void) => void) {
    this.#port = port;
    this.#watchClose = watchClose;
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    this.#watchClose(() => this.#message(null));
    this.#port.onmessage = (event) => this.#message(event.data as PortMessage);
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    for (const part of parts) {
      // A copy of just these bytes: the array they are in belongs to the writer, and must not travel.
      const copy = copyOf(part, 0, part.length);
      this.#untaken += copy.length;
      this.#port.postMessage(copy, [copy.buffer as ArrayBuffer]);
    }
    this.#full = this.#untaken > WINDOW_BYTES;
    return !this.#full;
  }

  hold(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    while (!this.#held && this.#inbox.length > 0) this.#take(this.#inbox.shift()!);
  }

  end(): void {
    if (this.#ended) return;
    this.#port.postMessage(null);
    this.#close(undefined);
  }

  destroy(): void {
    this.end();
  }

  #message(message: PortMessage): void {
    if (this.#ended) return;
    if (message === null) {
      // The other end has gone, but what it said before counts.
      this.#held = false;
      while (this.#inbox.length > 0 && !this.#ended) this.#take(this.#inbox.shift()!);
      this.#close(undefined);
    } else if (typeof message === "number") {
      this.#untaken -= message;
      if (this.#full && this.#untaken <= WINDOW_BYTES / 2) {
        this.#full = false;
        this.#handler?.drained();
      }
    } else if (!(message instanceof Uint8Array)) {
      this.#close(new Error("a message port carried something else than bytes"));
    } else if (this.#held) {
      this.#inbox.push(message);
    } else {
      this.#take(message);
    }
  }

  #take(bytes: Uint8Array): void {
    this.#handler?.data(bytes);
    if (!this.#ended) this.#port.postMessage(bytes.length);
  }

  #close(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inbox = [];
    this.#port.onmessage = null;
    this.#port.close();
    this.#handler?.closed(error);
  }
}
