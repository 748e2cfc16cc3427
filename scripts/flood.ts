/**
 * A client that does not wait: `flood.ts <port> <MB> <subject>` connects, says one message of 16 bytes again and again as fast as the server reads, and reads all
 * answers.
 */
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";

const [port, megabytes, subject] = process.argv.slice(2);
const MESSAGES = 5_000;
const INBOX = "_INBOX.flood";
const piece = Buffer.from(`PUB ${subject} ${INBOX} 16\r\n${"x".repeat(16)}\r\n`.repeat(MESSAGES), "latin1");

const socket = connect(Number(port), "127.0.0.1");
let last = "";
socket.on("data", (bytes: Buffer) => {
  last = bytes.subarray(-7).toString("latin1");
});
await once(socket, "data");
socket.write(`CONNECT {"verbose":false}\r\nSUB ${INBOX} 1\r\n`);
for (let sent = 0; sent < Number(megabytes) * 1024 * 1024; sent += piece.length) {
  if (!socket.write(piece)) await once(socket, "drain");
}
socket.write("PING\r\n");
while (!last.endsWith("PONG\r\n")) await once(socket, "data");
socket.end();
