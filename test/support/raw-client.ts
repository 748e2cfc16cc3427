import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { PATIENCE_MS } from "./waiting.ts";

/** A client that speaks the protocol by hand: what is sent and received are the bytes themselves, as Latin-1 text. */
export class RawClient {
  readonly #socket: Socket;
  #received = "";
  #closed = false;
  #changed: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects, and takes the server's first INFO off what is received. */
  static async open(port: number): Promise<RawClient> {
    const client = await RawClient.openUngreeted(port);
    await client.take(/^INFO .*\r\n/);
    return client;
  }

  /** Connects. */
  static async openUngreeted(port: number): Promise<RawClient> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Waits until what was received matches, and takes everything up to the end of the match. */
  async take(pattern: RegExp): Promise<string> {
    let found = "";
    await this.#until(() => {
      const match = pattern.exec(this.#received);
      if (match === null) return false;
      found = this.#received.slice(0, match.index + match[0].length);
      this.#received = this.#received.slice(found.length);
      return true;
    }, `waited for ${pattern}`);
    return found;
  }

  /** Sends the text, which ends with a PING; gives what came until its PONG, or until the server closed (then "<closed>" ends it). */
  async ask(text: string): Promise<string> {
    this.send(text);
    await this.#until(
      () => this.#received.endsWith("PONG\r\n") || this.#closed,
      `waited for PONG after ${text}`,
    );
    const got = this.#received;
    this.#received = "";
    return this.#closed ? `${got}<closed>` : got;
  }

  /** Waits for the end of the connection; gives what came before it. */
  async end(): Promise<string> {
    await this.#until(() => this.#closed, "waited for the end of the connection");
    const got = this.#received;
    this.#received = "";
    return got;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`${what}; received ${JSON.stringify(this.#received)}, closed: ${this.#closed}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    for (const changed of this.#changed.splice(0)) changed();
  }
}
