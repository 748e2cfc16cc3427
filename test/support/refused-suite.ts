import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import type { ServerUnderTest } from "./exchanges-suite.ts";
import { until } from "./waiting.ts";

const TOO_MUCH = 1_048_577;

/** How a connection ends whose client publishes more than max_payload: with how much of it has been sent along with the line. */
const ENDS: readonly (readonly [name: string, sent: number, end: "in order" | "by a reset"])[] = [
  ["the line alone", 0, "in order"],
  ["a line, and little of its payload", 400, "in order"],
  ["a line, and more of its payload than a first read takes", 1_000, "by a reset"],
  ["a line, and all of its payload", TOO_MUCH + 2, "by a reset"],
];

/** Runs the table: whatever the end, the error comes before it. */
export function refusedSuite(name: string, start: () => Promise<ServerUnderTest>): void {
  describe(name, () => {
    let server: ServerUnderTest;

    before(async () => {
      server = await start();
    });

    after(() => server.close());

    for (const [sends, sent, end] of ENDS) {
      it(`${sends}: ends ${end}`, async () => {
        const refusal = await publishTooMuch(server.port, sent);
        assert.equal(refusal.got, "-ERR 'Maximum Payload Violation'\r\n");
        assert.equal(refusal.end, end);
      });
    }
  });
}

async function publishTooMuch(port: number, sent: number): Promise<{ got: string; end: string }> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  let got = "";
  let over = false;
  let reset = false;
  socket.on("data", (bytes) => {
    got += bytes;
  });
  socket.on("end", () => {
    over = true;
  });
  socket.on("error", () => {
    over = true;
    reset = true;
  });
  await until(() => /^INFO .*\r\n/.test(got), "INFO has come");
  socket.write('CONNECT {"verbose":false}\r\nPING\r\n');
  await until(() => got.endsWith("PONG\r\n"), "PONG has come");
  got = "";
  socket.write(`PUB foo ${TOO_MUCH}\r\n${"x".repeat(sent)}`);
  await until(() => over, "the connection has ended");
  // Node tells a reset right behind what it has read as an end. After an end in order there is still somebody who takes what is sent; after
  // a reset there is not.
  reset ||= await new Promise<boolean>((resolve) => {
    socket.write("PING\r\n", (error) => resolve(error !== undefined && error !== null));
  });
  socket.destroy();
  return { got, end: reset ? "by a reset" : "in order" };
}
