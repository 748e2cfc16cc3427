/**
 * Connections that do nothing: `connections.ts <port> <how many>` opens them, each with one subscription,
 * prints `{"connections":…}` once the server has taken all, and holds them until it is ended.
 */
import { connect } from "node:net";
import process from "node:process";

/** How many are being opened at a time: less than what may wait to be accepted. */
const AT_A_TIME = 50;

function open(port: number, i: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let seen = "";
    socket.on("data", (bytes) => {
      seen = (seen + bytes.toString("latin1")).slice(-4096);
      if (/^PONG\r\n/m.test(seen)) resolve();
      if (/^PING\r\n/m.test(seen)) {
        seen = "";
        socket.write("PONG\r\n");
      }
    });
    socket.on("error", reject);
    socket.on("close", () => {
      process.stderr.write("the server closed a connection\n");
      process.exit(1);
    });
    socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB idle.${i} 1\r\nPING\r\n`);
  });
}

const [port, count] = process.argv.slice(2).map(Number);
for (let i = 0; i < count; i += AT_A_TIME) {
  const together = Math.min(AT_A_TIME, count - i);
  await Promise.all(Array.from({ length: together }, (_, k) => open(port, i + k)));
}
process.stdout.write(`${JSON.stringify({ connections: count })}\n`);
