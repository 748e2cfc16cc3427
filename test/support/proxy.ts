import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** One connection through a {@link NetworkProxy}. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Sits between a client and a server on real sockets, and does to their connections what the test says. */
export class NetworkProxy {
  /** Bytes that are handed on at a time; Infinity for all that comes. */
  piece = Number.POSITIVE_INFINITY;
  /** Milliseconds that what the server says is held back. */
  delay = 0;
  /** Whether new connections are ended at once. */
  refusing = false;
  /** How many connections have come. */
  connections = 0;
  readonly #target: () => number;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #port = 0;
  #stuck = false;

  private constructor(target: () => number) {
    this.#target = target;
  }

  /** Starts one on a free port. @param target - the server's port, asked for with every connection. */
  static async start(target: number | (() => number)): Promise<NetworkProxy> {
    const proxy = new NetworkProxy(typeof target === "number" ? () => target : target);
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections there are. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Listens, again on the same port. */
  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as { port: number }).port;
  }

  /** Listens no more, and cuts all connections: the next attempts are refused. */
  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    this.connections += 1;
    client.on("error", () => {});
    if (this.refusing) {
      reset(client);
      return;
    }
    const server = connect({ host: "127.0.0.1", port: this.#target(), noDelay: true });
    client.setNoDelay(true);
    const pair = { client, server };
    this.#pairs.add(pair);
    server.on("error", () => client.destroy());
    client.on("data", (bytes) => this.#pass(bytes, server, client));
    server.on("data", (bytes) => {
      if (this.delay > 0) setTimeout(() => this.#pass(bytes, client, server), this.delay);
      else this.#pass(bytes, client, server);
    });
    client.on("close", () => {
      this.#pairs.delete(pair);
      server.destroy();
    });
    server.on("close", () => client.end());
    if (this.#stuck) this.#hold(pair);
  }

  #pass(bytes: Uint8Array, to: Socket, from: Socket): void {
    if (to.destroyed) return;
    let room = true;
    for (let at = 0; at < bytes.length; at += this.piece)
      room = to.write(bytes.subarray(at, at + this.piece));
    if (room || this.piece !== Number.POSITIVE_INFINITY) return;
    from.pause();
    to.once("drain", () => {
      if (!this.#stuck) from.resume();
    });
  }

  /** Ends all connections, the hard way. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      reset(client);
      server.destroy();
    }
  }

  /** Hands on nothing in either direction, and reads nothing, until {@link unstick}. */
  stick(): void {
    this.#stuck = true;
    for (const pair of this.#pairs) this.#hold(pair);
  }

  #hold({ client, server }: Pair): void {
    client.pause();
    server.pause();
  }

  unstick(): void {
    this.#stuck = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Says something to all clients that the server has not said. */
  inject(bytes: string | Uint8Array): void {
    for (const { client } of this.#pairs) client.write(bytes);
  }

  async close(): Promise<void> {
    this.#stuck = false;
    await this.goAway();
  }
}

/**
 * Ends a connection the hard way. A socket that is being ended already is closed: Node 20 cannot reset it (EINVAL), then forgets to close it, and a
 * process with such a socket spins for ever when it should exit.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
