import { connect, type Socket } from "node:net";
import process from "node:process";

const CONNECT =
  'CONNECT {"verbose":false,"pedantic":false,"protocol":0,"headers":true,"no_responders":true}\r\n';

/** A raw connection to a server: no client library, so that the server is what is measured. */
export class Peer {
  readonly socket: Socket;
  onData: (bytes: Buffer) => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => this.onData(bytes));
    socket.on("close", () => {
      process.stderr.write("the server closed a connection\n");
      process.exit(1);
    });
    // Pings are answered before they are asked, so that nobody needs to look for them in the bytes.
    setInterval(() => socket.write("PONG\r\n"), 500).unref();
  }

  static async open(port: number): Promise<Peer> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise((resolve) => socket.once("connect", resolve));
    const peer = new Peer(socket);
    await peer.say(CONNECT);
    return peer;
  }

  /** Sends lines and waits for the answer to a PING after them. */
  say(lines: string): Promise<void> {
    return new Promise((resolve) => {
      let seen = "";
      this.onData = (bytes) => {
        seen = (seen + bytes.toString("latin1")).slice(-4096);
        if (/PONG\r\n/.test(seen)) resolve();
      };
      this.socket.write(`${lines}PING\r\n`);
    });
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.socket.write(bytes)) return undefined;
    return new Promise((resolve) => this.socket.once("drain", resolve));
  }

  quit(): void {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }
}
