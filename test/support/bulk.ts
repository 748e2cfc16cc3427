import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import { pem } from "./tls-files.ts";
import { until } from "./waiting.ts";

/** How a client comes to a server. */
export type Way = (typeof WAYS)[number];
export const WAYS = ["TCP", "TLS", "WebSocket"] as const;

/** The ports of a server: the one for clients, the one for WebSocket. */
export interface Ports {
  readonly port: number;
  readonly websocketPort: number;
}

/** A client that writes and reads bytes as fast as it can, and counts them instead of looking at them. */
export class Bulk {
  readonly #write: (bytes: Buffer) => Promise<void>;
  readonly #stream: { pause(): void; destroy(): void };
  /** How many bytes have come. */
  bytes = 0;
  /** The last of them, as Latin-1 text. */
  last = "";
  /** Whether the server has ended the connection. */
  ended = false;

  private constructor(stream: { pause(): void; destroy(): void }, write: (bytes: Buffer) => Promise<void>) {
    this.#stream = stream;
    this.#write = write;
  }

  /** Connects, says CONNECT and then `text`, and waits until the server has read that. */
  static async open(way: Way, ports: Ports, text = ""): Promise<Bulk> {
    const client =
      way === "WebSocket" ? await Bulk.#overWebsocket(ports) : await Bulk.#overSocket(way, ports);
    await client.write(Buffer.from(`CONNECT {"verbose":false}\r\n${text}PING\r\n`));
    await until(() => client.last.endsWith("PONG\r\n"), "PONG has come");
    client.bytes = 0;
    return client;
  }

  static async #overSocket(way: Way, { port }: Ports): Promise<Bulk> {
    let socket: Socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "data");
    if (way === "TLS") {
      socket = connectTls({ socket, ca: pem("ca.pem"), checkServerIdentity: () => undefined });
      await once(socket, "secureConnect");
    }
    let written = (): void => {};
    socket.on("drain", () => written());
    socket.on("close", () => written());
    const client = new Bulk(socket, (bytes) => {
      if (socket.write(bytes) || socket.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        written = resolve;
      });
    });
    socket.on("data", (bytes) => client.#got(bytes));
    socket.on("error", () => {});
    socket.on("close", () => {
      client.ended = true;
    });
    return client;
  }

  static async #overWebsocket({ websocketPort }: Ports): Promise<Bulk> {
    const websocket = new WebSocket(`ws://127.0.0.1:${websocketPort}`);
    const client = new Bulk(
      { pause: () => websocket.pause(), destroy: () => websocket.terminate() },
      (bytes) => new Promise((resolve) => websocket.send(bytes, () => resolve())),
    );
    websocket.on("message", (bytes: Buffer) => client.#got(bytes));
    websocket.on("error", () => {});
    websocket.on("close", () => {
      client.ended = true;
    });
    await once(websocket, "open");
    return client;
  }

  #got(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.last = bytes.subarray(-100).toString("latin1");
  }

  /** Writes; resolves when it may write more. */
  async write(bytes: Buffer): Promise<void> {
    await this.#write(bytes);
    // The system may have taken it at once: others in this process have their turn in any case.
    await turn();
  }

  /** Reads no more. */
  pause(): void {
    this.#stream.pause();
  }

  close(): void {
    this.#stream.destroy();
  }
}
