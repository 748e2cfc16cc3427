import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ServerUnderTest } from "./exchanges-suite.ts";
import { pem } from "./tls-files.ts";
import { until } from "./waiting.ts";

const PLAIN = 'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n';
/** Two hundred and forty messages of 64 KiB: more than the buffers of two sockets hold. */
const MANY = `PUB a 65536\r\n${"x".repeat(65_536)}\r\n`.repeat(240);
const MANY_BYTES = `MSG a 1 65536\r\n${"x".repeat(65_536)}\r\n`.length * 240;

/** A client that may shut its writing side, and reads on. */
class HalfOpenClient {
  readonly #socket: Socket;
  /** What has come, as Latin-1 text: its beginning, if it is much. */
  received = "";
  bytes = 0;
  /** Whether the server has shut its side, too. */
  over = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.bytes += bytes.length;
      if (this.received.length < 1_000) this.received += bytes.toString("latin1");
    });
    socket.on("end", () => {
      this.over = true;
    });
    socket.on("error", () => {});
  }

  /** Connects, makes the TLS handshake if there is to be one, says CONNECT, and waits for its answer. */
  static async open(port: number, tls: boolean): Promise<HalfOpenClient> {
    let socket = connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true });
    await once(socket, "data");
    if (tls) {
      socket = connectTls({
        socket,
        ca: pem("ca.pem"),
        checkServerIdentity: () => undefined,
      });
      await once(socket, "secureConnect");
    }
    const client = new HalfOpenClient(socket);
    assert.equal(await client.ask(`${PLAIN}PING\r\n`), "PONG\r\n");
    return client;
  }

  /** Sends the text, which ends with a PING; gives what came until its PONG. */
  async ask(text: string): Promise<string> {
    this.send(text);
    await until(() => this.received.endsWith("PONG\r\n"), `PONG has come after ${text}`);
    const got = this.received;
    this.received = "";
    this.bytes = 0;
    return got;
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Says this, and that nothing more will follow. */
  finish(text: string): void {
    this.#socket.end(text, "latin1");
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits until the server has ended its side; gives what came before. */
  async end(): Promise<string> {
    await until(() => this.over, "the server has ended its side");
    this.#socket.destroy();
    return this.received;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** What becomes of clients that shut their writing side and read on. */
export function halfOpenSuite(
  name: string,
  start: () => Promise<ServerUnderTest>,
  { tls = false }: { readonly tls?: boolean } = {},
): void {
  describe(`half-open sockets: ${name}`, () => {
    let server: ServerUnderTest;
    const open = (): Promise<HalfOpenClient> => HalfOpenClient.open(server.port, tls);

    before(async () => {
      server = await start();
    });

    after(() => server.close());

    /** What is sent before the end, and what comes until the server's. */
    const ends: readonly (readonly [sent: string, got: string])[] = [
      ["", ""],
      ["PING\r\n", "PONG\r\n"],
      ["SUB a 1\r\nPUB a 2\r\nhi\r\n", "MSG a 1 2\r\nhi\r\n"],
      ["SUB a 1\r\nPUB a 2\r\nhi\r\nPUB a 2\r\nh", "MSG a 1 2\r\nhi\r\n"],
      ["PING\r\nSUB a", "PONG\r\n"],
      ["BLA\r\n", "-ERR 'Unknown Protocol Operation'\r\n"],
    ];
    for (const [sent, got] of ends) {
      it(`a client that ends after ${JSON.stringify(sent)} gets its answers, then the end`, async () => {
        const client = await open();
        client.finish(sent);
        assert.equal(await client.end(), got);
      });
    }

    it("a client that ends while much waits for it gets all of that, as late as it reads", async () => {
      const witness = await open();
      const client = await open();
      await client.ask("SUB a 1\r\nPING\r\n");
      client.pause();
      client.finish(MANY);
      // Its subscription ends when the server has read all of that, and the end: nobody answers then.
      await witness.ask("SUB r 1\r\nPING\r\n");
      while (!(await witness.ask("PUB a r 0\r\n\r\nPING\r\n")).includes("503"));
      client.resume();
      await client.end();
      assert.ok(client.bytes >= MANY_BYTES, `${client.bytes} of ${MANY_BYTES} bytes have come`);
      witness.close();
    });
  });
}
