/** Publishers hear that their messages are stored in order, and many of them over several turns of the event loop. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InternalClient } from "../../../src/broker/internal-client.ts";
import { Answers } from "../../../src/jetstream/stream/answers.ts";
import { StorageError } from "../../../src/storage/errors.ts";
import type { StreamStore } from "../../../src/storage/store.ts";

const MANY = 20_000;

function setup() {
  const said: string[] = [];
  const later: (() => void)[] = [];
  const store = { syncedSeq: 0 };
  const client = {
    publish: (reply: string, _headers: unknown, payload: Uint8Array) =>
      said.push(`${reply} ${Buffer.from(payload).toString("latin1")}`),
  };
  const answers = new Answers("S", "", client as unknown as InternalClient, store as StreamStore, {
    soon: (action) => action(),
    later: (action) => void later.push(action),
  });
  return {
    answers,
    said,
    later,
    sync(seq: number) {
      store.syncedSeq = seq;
      answers.settle(seq);
    },
    turn() {
      for (const action of later.splice(0)) action();
    },
  };
}

const ack = (seq: number): string => `r${seq} {"stream":"S","seq":${seq}}`;

describe("answers to publishers", () => {
  it("of many messages that were synced at once are given over several turns, in order, before what comes after them", () => {
    const { answers, said, later, sync, turn } = setup();
    for (let seq = 1; seq <= MANY; seq++) answers.stored(seq, `r${seq}`, 1);
    answers.committed(MANY, "batch", { batch: { id: "b", count: 2 } });
    sync(MANY - 1);
    assert.ok(said.length > 0 && said.length < MANY / 2, `${said.length} in the first turn`);
    // Others are synced meanwhile.
    sync(MANY);
    assert.equal(later.length, 1);
    let turns = 0;
    for (; later.length > 0; turns++) turn();
    assert.ok(turns > 2);
    assert.equal(answers.waitingBytes, 0);
    const batch = `batch {"stream":"S","seq":${MANY},"batch":"b","count":2}`;
    assert.deepEqual(said, [...Array.from({ length: MANY }, (_, i) => ack(i + 1)), batch]);
  });

  it("are all given at once when the stream ends, and once", () => {
    const { answers, said, sync, turn } = setup();
    for (let seq = 1; seq <= MANY; seq++) answers.stored(seq, `r${seq}`, 1);
    sync(MANY);
    answers.finish();
    assert.equal(said.length, MANY);
    turn();
    assert.equal(said.length, MANY);
  });

  it("say what was stored before those that the disk has refused", () => {
    const { answers, said, sync, turn } = setup();
    for (let seq = 1; seq <= MANY + 2; seq++) answers.stored(seq, `r${seq}`, 1);
    sync(MANY);
    answers.fail(MANY + 1, new StorageError("full", "no space"));
    turn();
    assert.deepEqual(
      said.slice(0, MANY),
      Array.from({ length: MANY }, (_, i) => ack(i + 1)),
    );
    assert.equal(said.length, MANY + 2);
    for (const text of said.slice(MANY)) assert.match(text, /"err_code":10023/);
  });
});
