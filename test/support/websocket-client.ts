import { once } from "node:events";
import type { WsSocketFactory } from "@nats-io/nats-core";
import { type ClientOptions, WebSocket } from "ws";
import { until } from "./waiting.ts";

/** Makes the sockets of `wsconnect`, where the platform has none (Node 20), or none that knows the tests' certificates. */
export function websocketFactory(options: ClientOptions = {}): WsSocketFactory {
  return (url) => {
    const socket = new WebSocket(String(url).replace(/\/$/, ""), options);
    return Promise.resolve({ socket: socket as never, encrypted: String(url).startsWith("wss:") });
  };
}

/** A client that speaks the protocol by hand, over WebSocket. */
export class RawWebsocket {
  readonly socket: WebSocket;
  /** The size of each message that came. */
  readonly sizes: number[] = [];
  /** What has come and was not taken, as Latin-1 text. */
  received = "";
  /** Why the server has closed: its code and reason; undefined before. */
  closed: string | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on("message", (bytes: Buffer, isBinary: boolean) => {
      this.sizes.push(bytes.length);
      this.received += isBinary ? bytes.toString("latin1") : "<text>";
    });
    this.socket.on("error", () => {});
    this.socket.on("close", (code, reason) => {
      this.closed = `${code} ${reason}`;
    });
  }

  /** Connects, and takes the server's first INFO off what is received. */
  static async open(url: string, options: ClientOptions = {}): Promise<RawWebsocket> {
    const client = new RawWebsocket(url, options);
    await once(client.socket, "open");
    await client.take(/^INFO .*\r\n/);
    return client;
  }

  /** Waits until what was received matches, and takes everything up to the end of the match. */
  async take(pattern: RegExp): Promise<string> {
    await until(
      () => pattern.test(this.received),
      `${pattern} has come; there is ${this.received.slice(0, 500)}`,
    );
    const match = pattern.exec(this.received)!;
    const taken = this.received.slice(0, match.index + match[0].length);
    this.received = this.received.slice(taken.length);
    return taken;
  }

  /** Sends the text, which ends with a PING; gives what came until its PONG. */
  async ask(text: string): Promise<string> {
    this.socket.send(Buffer.from(text, "latin1"));
    return await this.take(/PONG\r\n$/);
  }

  /** Waits for the end: the server's code and reason. */
  async end(): Promise<string> {
    await until(() => this.closed !== undefined, "the server has closed");
    return this.closed!;
  }

  close(): void {
    this.socket.terminate();
  }
}
