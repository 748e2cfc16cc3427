/** How much a consumer delivers before the rest of the program has a turn of the event loop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumerHarness } from "../../support/consumer-harness.ts";
import { settle } from "../../support/simulated.ts";

/** How many messages of a size each turn brings to a client that acknowledges each at once. */
async function deliveredByTurn(messages: number, bytes: number): Promise<number[]> {
  const h = await ConsumerHarness.open({ storage: "memory" });
  const turns: (() => void)[] = [];
  const { soon } = h.account.tasks;
  Object.assign(h.account, { tasks: { soon, later: (action: () => void) => turns.push(action) } });
  for (let i = 0; i < messages; i++) h.store.append("s", undefined, new Uint8Array(bytes), h.clock.now());
  await h.store.flush();
  let got = 0;
  h.client.subscribe("_INBOX.1", ({ reply }) => {
    got += 1;
    h.client.publish(reply, undefined, "+ACK");
  });
  await h.create("c", { max_ack_pending: 10 });
  h.pullTo("_INBOX.1", "c", { batch: messages });
  const byTurn: number[] = [];
  for (let before = 0; ; before = got) {
    for (let i = 0; i < 100; i++) await settle();
    byTurn.push(got - before);
    if (turns.length === 0) break;
    for (const action of turns.splice(0)) action();
  }
  assert.equal(got, messages);
  await h.close();
  return byTurn;
}

test("acknowledgements that come at once do not keep delivery going: after some hundred messages there is a turn", async () => {
  const byTurn = await deliveredByTurn(2_000, 10);
  assert.ok(byTurn.length > 7 && byTurn.every((count) => count <= 300), `${byTurn}`);
});

test("after a MiB, too", async () => {
  const byTurn = await deliveredByTurn(20, 400_000);
  assert.ok(byTurn.length > 5 && byTurn.every((count) => count <= 4), `${byTurn}`);
});
