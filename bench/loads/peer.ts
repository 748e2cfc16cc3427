import { connect, type Socket } from "node:net";
import process from "node:process";

const CONNECT =
  'CONNECT {"verbose":false,"pedantic":false,"protocol":0,"headers":true,"no_responders":true}\r\n';

const READ_BYTES = 64 * 1024;

/** A raw connection to a server: no client library, so that the server is what is measured. */
export class Peer {
  readonly socket: Socket;
  /** Takes what comes; the bytes may be used until it returns. */
  onData: (bytes: Buffer) => void = () => {};

  private constructor(port: number) {
    // Reading into one array costs a load the least, so that the server is what is measured.
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (count: number, buffer: Uint8Array): boolean => {
        this.onData((buffer as Buffer).subarray(0, count));
        return true;
      },
    };
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, onread });
    this.socket = socket;
    socket.on("close", () => {
      process.stderr.write("the server closed a connection\n");
      process.exit(1);
    });
    // Pings are answered before they are asked, so that nobody needs to look for them in the bytes.
    setInterval(() => socket.write("PONG\r\n"), 500).unref();
  }

  static async open(port: number): Promise<Peer> {
    const peer = new Peer(port);
    await new Promise((resolve) => peer.socket.once("connect", resolve));
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
