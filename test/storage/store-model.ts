import assert from "node:assert/strict";
import fc from "fast-check";
import type { StreamStore } from "../../src/storage/store.ts";
import { TTL_NEVER } from "../../src/storage/store.ts";
import { Model, type ModelMessage } from "./model.ts";

/** Something that is done to a store. */
export type Operation =
  | { do: "append"; subject: string; headers: string; payload: string; later: number; ttl: number }
  | { do: "batch"; subjects: string[] }
  | { do: "skip"; count: number }
  | { do: "remove"; at: number; erase: boolean }
  | { do: "purge"; patterns: string[]; before: number; keep: number }
  | { do: "reopen" };

const subject = fc.constantFrom("a", "b", "a.b", "a.c", "a.b.c", "ä.b", "x.y.z");
const patterns = fc.constantFrom<string[]>(
  [],
  [">"],
  ["a"],
  ["a.*"],
  ["*.b"],
  ["a.>"],
  ["a", "x.>"],
  ["none"],
);

/** Any operation. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      subject,
      headers: fc.constantFrom("", "", "NATS/1.0\r\nA: b\r\n\r\n"),
      payload: fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.integer({ min: 0, max: 3000 }).map((n) => "x".repeat(n)),
      ),
      later: fc.integer({ min: 0, max: 1000 }),
      ttl: fc.constantFrom(0, 0, 0, 1, 2, TTL_NEVER),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      subjects: fc.array(subject, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("skip" as const), count: fc.constantFrom(1, 3, 40_000) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("remove" as const), at: fc.nat(30), erase: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("purge" as const),
      patterns,
      before: fc.constantFrom(1e9, 1e9, 1, 5, 12),
      keep: fc.constantFrom(0, 0, 1, 3),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "utf8"));
const text = (array: Uint8Array | undefined): string =>
  array === undefined ? "" : Buffer.from(array).toString("utf8");

/** A store and a model of it, which are done the same to. */
export class Pair {
  readonly model = new Model();
  store: StreamStore;
  time = 1_000_000.125;
  readonly #reopen: (store: StreamStore) => Promise<StreamStore>;

  constructor(store: StreamStore, reopen: (store: StreamStore) => Promise<StreamStore>) {
    this.store = store;
    this.#reopen = reopen;
  }

  async apply(operation: Operation): Promise<void> {
    const { model, store } = this;
    switch (operation.do) {
      case "append": {
        this.time += operation.later;
        const { subject, headers, payload, ttl } = operation;
        const head = headers === "" ? undefined : bytes(headers);
        const seq = store.append(subject, head, bytes(payload), this.time, ttl);
        assert.equal(seq, model.append(subject, headers, payload, this.time, ttl));
        break;
      }
      case "batch": {
        const first = store.appendBatch(
          operation.subjects.map((subject) => ({
            subject,
            headers: undefined,
            payload: bytes(subject),
            time: this.time,
            ttl: 0,
          })),
        );
        assert.equal(first, model.lastSeq + 1);
        for (const subject of operation.subjects) model.append(subject, "", subject, this.time, 0);
        break;
      }
      case "skip":
        model.lastSeq += operation.count;
        assert.equal(store.skip(operation.count), model.lastSeq);
        break;
      case "remove": {
        const seq = model.messages[operation.at % (model.messages.length + 1)]?.seq ?? operation.at;
        assert.equal(store.remove(seq, { erase: operation.erase }), model.remove(seq));
        break;
      }
      case "purge": {
        const filter = store.filter(operation.patterns);
        const purged = await store.purge({ filter, before: operation.before, keep: operation.keep });
        assert.equal(purged, model.purge(operation.patterns, operation.before, operation.keep));
        filter.close();
        break;
      }
      case "reopen":
        this.store = await this.#reopen(store);
        break;
    }
  }

  /** Asks store and model everything, and compares. */
  async compare(): Promise<void> {
    const { model, store } = this;
    const { state } = store;
    assert.equal(state.messages, model.messages.length, "messages");
    assert.equal(state.lastSeq, model.lastSeq, "last sequence");
    assert.equal(state.firstSeq, model.firstSeq, "first sequence");
    assert.equal(state.lastTime, model.lastTime, "last time");
    assert.equal(state.firstTime, model.messages[0]?.time ?? 0, "first time");
    assert.equal(state.subjects, new Set(model.messages.map((each) => each.subject)).size, "subjects");
    assert.equal(state.deleted, model.lastSeq - model.firstSeq + 1 - model.messages.length, "deleted");
    assert.equal(state.lost, undefined);
    const size = (each: ModelMessage): number =>
      store.accountedBytes(bytes(each.subject).length, each.headers.length, bytes(each.payload).length);
    assert.equal(
      state.bytes,
      model.messages.reduce((sum, each) => sum + size(each), 0),
      "bytes",
    );
    for (const each of model.messages) {
      const found = await store.get(each.seq);
      assert.ok(found !== undefined, `message ${each.seq} is there`);
      assert.deepEqual({ ...found, headers: text(found.headers), payload: text(found.payload) }, { ...each });
      assert.equal(store.subjectOf(each.seq), each.subject);
      assert.equal(store.timeOf(each.seq), each.time);
      assert.equal(store.bytesOf(each.seq), size(each));
    }
    await this.#compareFilters();
    let deleted = 0;
    for (const [first, last] of store.deleted()) {
      deleted += last - first + 1;
      if (last - first < 50) for (let seq = first; seq <= last; seq++) assert.ok(!store.has(seq));
    }
    assert.equal(deleted, state.deleted);
    this.#compareTimes();
  }

  async #compareFilters(): Promise<void> {
    const { model, store } = this;
    for (const patterns of [[], ["a"], ["a.*"], ["a", "*.b"], ["x.>"], ["none"]]) {
      const filter = store.filter(patterns);
      const matching = model.matching(patterns);
      const probes = [1, model.firstSeq, model.firstSeq + 2, model.lastSeq - 1, model.lastSeq + 1];
      for (const from of probes) {
        const above = matching.filter(({ seq }) => seq >= from);
        assert.equal(await store.next(filter, from), above[0]?.seq ?? 0, `next ${patterns} from ${from}`);
        const below = matching.filter(({ seq }) => seq <= from);
        assert.equal(await store.previous(filter, from), below.at(-1)?.seq ?? 0, `previous ${patterns}`);
        assert.equal((await store.count(filter, from)).count, above.length, `count ${patterns} from ${from}`);
        const lasts = model.lastOfEach(patterns, 1e9);
        assert.equal((await store.countLast(filter, from)).count, lasts.filter((seq) => seq >= from).length);
        assert.deepEqual(await store.lastOfEach(filter, from), model.lastOfEach(patterns, from));
      }
      let seq = 0;
      for (const each of matching) {
        seq = await store.next(filter, seq + 1);
        assert.equal(seq, each.seq);
      }
      const subjects = new Map<string, number>();
      await store.eachSubject(filter, (each) => {
        subjects.set(each.subject, each.messages);
        const on = matching.filter((message) => message.subject === each.subject);
        assert.equal(each.firstSeq, on[0].seq);
        assert.equal(each.lastSeq, on.at(-1)!.seq);
      });
      const expected = new Map<string, number>();
      for (const { subject } of matching) expected.set(subject, (expected.get(subject) ?? 0) + 1);
      assert.deepEqual([...subjects].sort(), [...expected].sort());
      filter.close();
    }
  }

  #compareTimes(): void {
    const { model, store } = this;
    for (const time of [0, this.time - 500, this.time, this.time + 1]) {
      const first = model.messages.find((each) => each.time >= time)?.seq ?? model.lastSeq + 1;
      assert.equal(store.seqAt(time), first);
    }
    const now = this.time + 1000;
    const byTtl = model.messages.filter(
      ({ ttl, time }) => ttl !== 0 && ttl !== TTL_NEVER && time + ttl * 1000 <= now,
    );
    assert.deepEqual(store.expired(now, 0, 1000, true).sort(), byTtl.map(({ seq }) => seq).sort());
    const byAge = model.messages.filter(({ ttl, time }) => ttl !== TTL_NEVER && time <= now - 1200);
    const due = new Set([...byTtl, ...byAge].map(({ seq }) => seq));
    assert.deepEqual(new Set(store.expired(now, 1200, 1000, true)), due);
    assert.deepEqual(new Set(store.expired(now, 1200, 1000, false)), new Set(byAge.map(({ seq }) => seq)));
    assert.equal(store.nextExpiry(0, false), undefined);
    const next = store.nextExpiry(0, true);
    if (byTtl.length > 0) assert.ok(next !== undefined && next <= now);
  }
}
