/** Trace lines of one raw session, on gnatlet and on a real nats-server. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { Command, GNATLET, masked } from "../support/command.ts";
import { RawClient } from "../support/raw-client.ts";

/** What is sent, and what is waited for after it. */
const SESSION: [send: string, take: RegExp][] = [
  [
    'CONNECT {"verbose":false,"pedantic":false,"user":"a","pass":"secret","auth_token":"s3","sig":"s4","headers":true,"name":"x"}\r\nPING\r\n',
    /PONG\r\n/,
  ],
  ["SUB foo 1\r\nSUB bar q 2\r\nPUB foo 5\r\nhello\r\nPUB foo re.ply 0\r\n\r\nPING\r\n", /PONG\r\n/],
  [
    "HPUB foo 12 17\r\nNATS/1.0\r\n\r\nhello\r\nHPUB bar rep 12 12\r\nNATS/1.0\r\n\r\n\r\nPING\r\n",
    /PONG\r\n/,
  ],
  ['PUB foo 8\r\n"\\\n\xff\xc3\xa9\x00\x7f\r\nUNSUB 1 10\r\nUNSUB 2\r\nPONG\r\nPING\r\n', /PONG\r\n/],
  ['CONNECT {"verbose":true}\r\nPUB none 0\r\n\r\nPING\r\n', /PONG\r\n/],
  ["PUB fo", /^/],
  ["o 4\r\nab", /^/],
  ["cd\r\nSUB x 7\r\nPING\r\n", /PONG\r\n/],
];

async function traceOf(program: string, flags: string[]): Promise<string[]> {
  await using command = await Command.serve(program, flags);
  const client = await RawClient.open(command.port);
  for (const [send, take] of SESSION) {
    client.send(send);
    await client.take(take);
  }
  client.socket.destroy();
  await command.end("SIGINT");
  const lines = masked(command.stderr).split("\n");
  assert.doesNotMatch(command.stderr, /secret|s3|s4/);
  // nats-server has clients of its own, and drops subscriptions in the order of Go's maps.
  return lines
    .filter((line) => line.includes("[TRC] 127.") && !line.includes("DELSUB"))
    .map((line) => line.replace(/cid:\d+/, "cid:<n>"));
}

describe("trace lines are nats-server's", () => {
  for (const flags of [["-V"], ["-DV", "--max_traced_msg_len", "4"], ["-VV", "--max_traced_msg_len=5"]]) {
    it(flags.join(" "), async () => {
      const ours = await traceOf(GNATLET, flags);
      const theirs = await traceOf(process.env.NATS_SERVER!, flags);
      assert.ok(ours.length > 30);
      assert.deepEqual(ours, theirs);
    });
  }
});
