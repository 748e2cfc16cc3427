/**
 * A service that answers each request on "service" with what it asks, over a raw socket: `echo.ts <port>` prints `{"ready":1}` once it is there,
 * and serves until it is ended.
 */
import { connect } from "node:net";
import process from "node:process";

const socket = connect({ host: "127.0.0.1", port: Number(process.argv[2]), noDelay: true });
let rest = "";
let ready = false;
socket.on("data", (bytes) => {
  rest += bytes.toString("latin1");
  let answers = "";
  for (;;) {
    const line = rest.indexOf("\r\n");
    if (line < 0) break;
    const words = rest.slice(0, line).split(" ");
    let end = line + 2;
    if (words[0] === "MSG") {
      const size = Number(words[words.length - 1]);
      end += size + 2;
      if (rest.length < end) break;
      if (words.length === 5) answers += `PUB ${words[3]} ${size}\r\n${rest.slice(line + 2, end)}`;
    } else if (words[0] === "PING") {
      answers += "PONG\r\n";
    } else if (words[0] === "PONG" && !ready) {
      ready = true;
      process.stdout.write('{"ready":1}\n');
    }
    rest = rest.slice(end);
  }
  if (answers !== "") socket.write(answers, "latin1");
});
socket.write('CONNECT {"verbose":false,"pedantic":false}\r\nSUB service 1\r\nPING\r\n');
