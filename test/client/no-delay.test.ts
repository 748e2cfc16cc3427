/** A client that tries again without a delay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";

/** So many attempts are made, at least, and so many turns of the event loop have others meanwhile. */
const ATTEMPTS = 1_000;
const TURNS = 100;

test("a client that is refused at once, and tries again at once, lets the rest of the program have its turn", async () => {
  const server = await NatsServer.start({ maxConnections: 1 });
  const first = await connect({ inProcessServer: server });
  let attempts = 0;
  let turns = 0;
  let timer = setImmediate(function turn() {
    if (attempts > 0) turns += 1;
    timer = setImmediate(turn);
  });
  const second = await connect({
    inProcessServer: server,
    waitOnFirstConnect: true,
    reconnectTimeWait: 0,
    reconnectJitter: 0,
    onStatus: ({ type }) => {
      // Makes room for it, or else nothing would ever run but its attempts.
      if (type === "reconnecting" && ++attempts === ATTEMPTS) void first.close();
    },
  });
  clearImmediate(timer);
  assert.ok(attempts >= ATTEMPTS, `${attempts} attempts`);
  assert.ok(turns >= TURNS, `${turns} turns during ${attempts} attempts`);
  await second.close();
  await server.close();
});
