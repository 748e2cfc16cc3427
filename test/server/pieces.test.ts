/** What has come at once is answered at once, also where it is handed over in pieces. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import { Server } from "../../src/server/server.ts";
import { settle, simulatedRuntime, TestLink } from "../support/simulated.ts";
import { certificate, pem } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";

const HELLO = 'CONNECT {"verbose":false}\r\nSUB foo 1\r\nPING\r\n';

/** A link whose pieces the test hands over, and that tells how often the server writes. */
class PiecesLink extends TestLink {
  readonly inPieces = true;
  writes = 0;

  override write(parts: readonly Uint8Array[]): boolean {
    this.writes += 1;
    return super.write(parts);
  }
}

function join(): PiecesLink {
  const server = new Server(checkedSettings({}), simulatedRuntime());
  const link = new PiecesLink();
  server.inProcessConn().accept(link);
  link.send(HELLO);
  return link;
}

/** How many records of TLS there are in these bytes. */
function records(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) count += 1;
  return count;
}

describe("pieces of one turn", () => {
  it("are answered by one write", async () => {
    const link = join();
    await settle();
    link.look();
    link.writes = 0;
    for (const text of ["a", "b", "c"]) link.send(`PUB foo 1\r\n${text}\r\n`);
    assert.equal(link.look(), "");
    await settle();
    assert.equal(link.look(), "MSG foo 1 1\r\na\r\nMSG foo 1 1\r\nb\r\nMSG foo 1 1\r\nc\r\n");
    assert.equal(link.writes, 1);
    link.send("PING\r\n");
    await settle();
    assert.equal(link.look(), "PONG\r\n");
  });

  it("are answered before the turn is over when they are many", async () => {
    const link = join();
    await settle();
    link.look();
    const sent = 100_000;
    let mostHeldBack = 0;
    for (let i = 0; i < 100; i++) {
      link.send(`PUB foo ${sent / 100}\r\n${"x".repeat(sent / 100)}\r\n`);
      mostHeldBack = Math.max(mostHeldBack, (i + 1) * 1_000 - link.received.length);
    }
    assert.ok(mostHeldBack > 1_000 && mostHeldBack < 70_000, `${mostHeldBack}`);
    await settle();
    assert.ok(link.look().length > sent);
  });

  it("are the records of TLS that have come in one packet: their answer is one record", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 }, tls: certificate("server") });
    const socket = connectSocket({ host: "127.0.0.1", port: server.port!, noDelay: true });
    await once(socket, "data");
    let received: Buffer = Buffer.alloc(0);
    // Node writes each record by itself: here they are put together.
    const between: Duplex = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        socket.write(bytes);
        done();
      },
    });
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      between.push(bytes);
    });
    const tls = connectTls({ socket: between, ca: pem("ca.pem"), servername: "localhost" });
    let got = "";
    tls.on("data", (bytes) => {
      got += bytes;
    });
    await once(tls, "secureConnect");
    tls.write(HELLO);
    await until(() => got.endsWith("PONG\r\n"), "PONG has come");
    received = Buffer.alloc(0);
    socket.cork();
    for (const text of ["a", "b"]) {
      const written = new Promise((resolve) => tls.write(`PUB foo 1\r\n${text}\r\n`, resolve));
      await written;
    }
    socket.uncork();
    await until(() => got.endsWith("\r\nb\r\n"), "both messages have come");
    assert.equal(records(received), 1);
    tls.destroy();
    socket.destroy();
  });
});
