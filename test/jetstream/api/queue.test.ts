/** Requests about one stream are served one after the other, and many of them leave the rest of the program its turn. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Session } from "../../../src/broker/session.ts";
import { Turn } from "../../../src/broker/turn.ts";
import type { JetStreamAccount } from "../../../src/jetstream/account/account.ts";
import { Api } from "../../../src/jetstream/api/api.ts";
import { Message } from "../../../src/protocol/message.ts";
import { Slab } from "../../../src/protocol/slab.ts";
import { EMPTY } from "../../../src/protocol/text.ts";
import { BusyClock } from "../../support/busy-clock.ts";
import { settle } from "../../support/simulated.ts";

const MANY = 200;

it("requests that wait for others are served by turns, in order", async () => {
  const later: (() => void)[] = [];
  const tasks = { soon: queueMicrotask, later: (action: () => void) => void later.push(action) };
  const account = { api: { total: 0, errors: 0 }, checkOpen() {} } as unknown as JetStreamAccount;
  const said: string[] = [];
  const api = new Api({
    logger: { debugOn: false } as never,
    account: () => account,
    answer: (_account, reply) => void said.push(reply),
    audit() {},
    dropped: () => assert.fail("dropped"),
    serve: async () => "",
    queueLimit: MANY,
    turn: new Turn(new BusyClock(0.2), tasks),
  });
  const from = { account: { name: "A", isSystem: false } } as unknown as Session;
  const message = new Message(new Slab());
  for (let i = 0; i < MANY; i++) {
    message.setValue("$JS.API.STREAM.PURGE.S", `r${i}`, undefined, EMPTY);
    assert.equal(api.request(from, message), true);
  }
  let turns = 0;
  for (let before = 0; said.length < MANY; turns++) {
    await settleWhileAnswered(said);
    assert.ok(said.length > before && said.length - before < MANY / 2, `${said.length} after ${before}`);
    before = said.length;
    for (const action of later.splice(0)) action();
  }
  assert.ok(turns > 2);
  assert.deepEqual(
    said,
    Array.from({ length: MANY }, (_, i) => `r${i}`),
  );
  await settle();
  assert.equal(api.stats.inflight, 0);
});

/** Lets everything happen that needs no other turn. */
async function settleWhileAnswered(said: readonly string[]): Promise<void> {
  for (let before = -1; before < said.length; ) {
    before = said.length;
    await settle();
  }
}
