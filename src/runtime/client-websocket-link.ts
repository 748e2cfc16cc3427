import type { ClientLink } from "../seams/dial.ts";
import type { ByteLinkHandler } from "../seams/link.ts";

/** As much of the standard's `WebSocket` as is used. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  send(bytes: Uint8Array): void;
  close(code?: number): void;
  /** Not the standard's: ends it without waiting for the other end. */
  terminate?(): void;
}

/** Bytes that may wait in the socket before writers are told to wait; and how often (ms) is looked whether they still must. */
const WINDOW_BYTES = 1024 * 1024;
const LOOK_MS = 5;

/** A connected WebSocket, whoever made it, as a link. NATS bytes go in binary frames, cut anywhere. */
export class ClientWebSocketLink implements ClientLink {
  readonly remoteHost = "";
  readonly remotePort = 0;
  readonly encrypted: boolean;
  readonly #socket: WebSocketLike;
  readonly #later: (delay: number, action: () => void) => void;
  #handler: ByteLinkHandler | undefined;
  #early: Uint8Array[] = [];
  #error: Error | undefined;
  #ended = false;
  #looking = false;

  /**
   * @param encrypted - whether it is a "wss" one.
   * @param later - calls something after some milliseconds.
   */
  constructor(socket: WebSocketLike, encrypted: boolean, later: (delay: number, action: () => void) => void) {
    this.#socket = socket;
    this.encrypted = encrypted;
    this.#later = later;
    socket.onmessage = ({ data }) => this.#message(data);
    socket.onerror = (event) => {
      this.#error ??= errorOf(event);
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      if (!wasClean) this.#error ??= new Error(reason || `the WebSocket was closed with code ${code}`);
      this.#end();
    };
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    for (const bytes of this.#early.splice(0)) handler.data(bytes);
    if (this.#ended) Promise.resolve().then(() => handler.closed(this.#error));
  }

  #message(data: unknown): void {
    if (this.#ended) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#error ??= new Error("the server sent text in place of bytes");
      this.destroy();
      return;
    }
    const bytes = new Uint8Array(data);
    if (this.#handler === undefined) this.#early.push(bytes);
    else this.#handler.data(bytes);
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    // One frame, of its own bytes: the writer uses its arrays again.
    const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      frame.set(part, at);
      at += part.length;
    }
    try {
      this.#socket.send(frame);
    } catch {
      // It is closing; its end is told.
    }
    if (this.#socket.bufferedAmount <= WINDOW_BYTES) return true;
    if (!this.#looking) this.#look();
    return false;
  }

  /** A WebSocket does not tell when it has sent what waits. */
  #look(): void {
    this.#looking = true;
    this.#later(LOOK_MS, () => {
      if (this.#ended) return;
      if (this.#socket.bufferedAmount > WINDOW_BYTES / 2) {
        this.#look();
        return;
      }
      this.#looking = false;
      this.#handler?.drained();
    });
  }

  /** A WebSocket cannot be told to stop reading. */
  hold(): void {}

  end(): void {
    this.#close();
  }

  destroy(): void {
    if (this.#ended) return;
    if (this.#socket.terminate !== undefined) this.#socket.terminate();
    else this.#close();
    // The standard's socket waits for the other end's answer; whoever destroys it does not.
    this.#end();
  }

  #close(): void {
    try {
      this.#socket.close(1000);
    } catch {
      // It is closed already.
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#early = [];
    this.#handler?.closed(this.#error);
  }
}

/** Resolves when a WebSocket is open; rejects with why it is not. */
export function opened(
  socket: WebSocketLike,
  encrypted: boolean,
  later: (delay: number, action: () => void) => void,
): Promise<ClientLink> {
  return new Promise((resolve, reject) => {
    socket.binaryType = "arraybuffer";
    let error: Error | undefined;
    socket.onopen = () => resolve(new ClientWebSocketLink(socket, encrypted, later));
    socket.onerror = (event) => {
      error ??= errorOf(event);
      // Some platforms tell of the end, too, some do not.
      reject(error);
    };
    socket.onclose = ({ code, reason }) =>
      reject(error ?? new Error(reason || `the WebSocket was closed with code ${code}`));
  });
}

function errorOf(event: unknown): Error {
  const { error, message } = event as { error?: unknown; message?: unknown };
  if (error instanceof Error) return error;
  return new Error(typeof message === "string" && message !== "" ? message : "the WebSocket failed");
}
