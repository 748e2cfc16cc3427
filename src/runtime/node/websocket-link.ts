import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { ClosedReason } from "../../protocol/closed-reason.ts";
import type { ByteLink, ByteLinkHandler } from "../../seams/link.ts";
import type { Upgrade } from "../../seams/websocket.ts";
import { closeCode } from "../../server/websocket/close-code.ts";

/**
 * A WebSocket as {@link ByteLink}: NATS bytes are one stream, whatever messages they come in. It is closed with the code that
 * belongs to the reason.
 */
export class WebsocketLink implements ByteLink {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly #websocket: WebSocket;
  readonly #socket: Socket;
  readonly #frameBytes: number;
  readonly #send: { binary: true; compress: boolean };
  #handler: ByteLinkHandler | undefined;
  /** Messages of one read of the socket, which are handed over together: they are answered in one write then. */
  #arrived: Buffer[] = [];
  #error: Error | undefined;
  #writes = 0;
  /** The write that is waited for, if any is. */
  #awaited = 0;

  /** @param socket - what the WebSocket runs on. */
  constructor(websocket: WebSocket, socket: Socket, upgrade: Upgrade) {
    this.#websocket = websocket;
    this.#socket = socket;
    // What is compressed is a message of its own, which cannot be split into frames any more.
    this.#frameBytes = upgrade.compress ? Number.POSITIVE_INFINITY : upgrade.frameBytes;
    this.#send = { binary: true, compress: upgrade.compress };
    this.remoteHost = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    this.remotePort = socket.remotePort ?? 0;
    websocket.on("error", (error) => {
      this.#error ??= error;
    });
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    this.#websocket.on("message", (bytes) => {
      if (this.#arrived.push(bytes as Buffer) === 1) queueMicrotask(() => this.#handOver());
    });
    this.#websocket.on("close", () => {
      this.#handOver();
      handler.closed(this.#error);
    });
  }

  #handOver(): void {
    const arrived = this.#arrived;
    if (arrived.length === 0) return;
    this.#arrived = [];
    this.#handler?.data(arrived.length === 1 ? arrived[0] : Buffer.concat(arrived));
  }

  write(parts: readonly Uint8Array[]): boolean {
    const websocket = this.#websocket;
    if (websocket.readyState !== websocket.OPEN) return true;
    const id = ++this.#writes;
    this.#socket.cork();
    for (let i = 0; i < parts.length; i++) {
      this.#writePart(parts[i], i === parts.length - 1 ? () => this.#sent(id) : undefined);
    }
    this.#socket.uncork();
    if (websocket.bufferedAmount === 0) return true;
    this.#awaited = id;
    return false;
  }

  #writePart(part: Uint8Array, sent: (() => void) | undefined): void {
    const step = this.#frameBytes;
    let start = 0;
    while (part.length - start > step) {
      this.#websocket.send(part.subarray(start, start + step), this.#send);
      start += step;
    }
    this.#websocket.send(start === 0 ? part : part.subarray(start), this.#send, sent);
  }

  #sent(id: number): void {
    if (this.#awaited !== id) return;
    this.#awaited = 0;
    if (this.#websocket.readyState === this.#websocket.OPEN) this.#handler?.drained();
  }

  hold(held: boolean): void {
    if (held) this.#websocket.pause();
    else this.#websocket.resume();
  }

  end(reason: ClosedReason): void {
    this.#websocket.close(closeCode(reason), reason);
  }

  destroy(): void {
    this.#websocket.terminate();
  }
}
