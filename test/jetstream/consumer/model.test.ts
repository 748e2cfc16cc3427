import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { ConsumerHarness, type Got } from "../../support/consumer-harness.ts";
import { picker } from "../../support/jetstream-script.ts";
import { type Choose, SimulatedDisk } from "../../support/simulated-disk.ts";

/**
 * Random scripts of publishes, pulls, acknowledgements, time and crashes, against a model that says how often each message may come
 * and what must have come in the end.
 */

/** How many scripts there are. MODEL_RUNS asks for more. */
const RUNS = Number(process.env.MODEL_RUNS ?? 60);

type Action =
  | { readonly do: "publish"; readonly subjects: readonly string[] }
  | { readonly do: "pull"; readonly batch: number; readonly noWait: boolean }
  | { readonly do: "ack"; readonly pick: number; readonly body: string; readonly confirm: boolean }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "remove"; readonly pick: number }
  | { readonly do: "restart"; readonly crash: boolean };

const subject = fc.constantFrom("a.1", "a.2", "b.1");

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      subjects: fc.array(subject, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pull" as const),
      batch: fc.integer({ min: 1, max: 6 }),
      noWait: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ack" as const),
      pick: fc.nat(),
      body: fc.constantFrom("", "+ACK", "+ACK", "-NAK", "-NAK 300ms", "+WPI", "+TERM"),
      confirm: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 400, 1_200) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), crash: fc.boolean() }) },
);

interface Options {
  readonly filters: readonly string[];
  readonly maxAckPending: number;
  readonly workQueue: boolean;
}

const options: fc.Arbitrary<Options> = fc.record({
  filters: fc.constantFrom([], ["a.*"], ["a.1"], ["a.1", "b.*"]),
  maxAckPending: fc.constantFrom(2, 1_000),
  workQueue: fc.boolean(),
});

/** What is known of a message. */
interface Known {
  /** Whether it was acknowledged or given up, and that was confirmed. */
  settled: boolean;
  /** Whether it was acknowledged or given up, perhaps in vain. */
  touched: boolean;
  removed: boolean;
  delivered: number;
}

class Script {
  readonly #options: Options;
  #h!: ConsumerHarness;
  readonly #messages = new Map<number, Known>();
  #inboxes: Got[][] = [];
  /** What has been looked at, of each inbox. */
  #seen: number[] = [];
  readonly #received: { seq: number; got: Got }[] = [];
  readonly #choose: Choose;
  #disk = new SimulatedDisk();

  /** @param choose - decides what a crash keeps of what was not synced. */
  constructor(given: Options, choose: Choose) {
    this.#options = given;
    this.#choose = choose;
  }

  async run(actions: readonly Action[]): Promise<void> {
    const { workQueue, filters, maxAckPending } = this.#options;
    this.#h = await this.#open();
    const answer = await this.#h.create("c", {
      durable_name: "c",
      ack_wait: 1_000_000_000,
      max_ack_pending: maxAckPending,
      ...(filters.length > 0 ? { filter_subjects: filters } : {}),
    });
    assert.equal((answer as { error?: unknown }).error, undefined, JSON.stringify({ answer, workQueue }));
    for (const each of actions) {
      await this.#do(each);
      this.#look();
      await this.#check();
    }
    await this.#drain();
    await this.#h.close();
  }

  #open(clock?: ConsumerHarness["clock"]): Promise<ConsumerHarness> {
    const retention = this.#options.workQueue ? ("workqueue" as const) : ("limits" as const);
    return ConsumerHarness.open({ storage: "file", retention }, clock, this.#disk);
  }

  #wants(name: string): boolean {
    const { filters } = this.#options;
    return (
      filters.length === 0 ||
      filters.some((each) => each === name || (each.endsWith("*") && name.startsWith(each.slice(0, -1))))
    );
  }

  async #do(each: Action): Promise<void> {
    const h = this.#h;
    switch (each.do) {
      case "publish":
        for (const name of each.subjects) {
          const seq = h.store.state.lastSeq + 1;
          await h.publish(name);
          if (this.#wants(name))
            this.#messages.set(seq, { settled: false, touched: false, removed: false, delivered: 0 });
        }
        break;
      case "pull": {
        const { batch, noWait } = each;
        const body = noWait ? { batch, no_wait: true } : { batch, expires: 500_000_000 };
        this.#inboxes.push(await h.pull("c", body));
        this.#seen.push(0);
        break;
      }
      case "ack":
        await this.#ack(each.pick, each.body, each.confirm);
        break;
      case "wait":
        await h.clock.advance(each.ms);
        break;
      case "remove": {
        const { firstSeq, lastSeq } = h.store.state;
        const seq = firstSeq + (each.pick % Math.max(1, lastSeq - firstSeq + 1));
        if (h.store.remove(seq)) {
          await h.store.flush();
          const known = this.#messages.get(seq);
          if (known !== undefined) known.removed = true;
        }
        break;
      }
      case "restart":
        await this.#restart(each.crash);
        break;
    }
    await h.rest();
  }

  async #ack(pick: number, body: string, confirm: boolean): Promise<void> {
    // What has come before this acknowledgement may have: the one before may have made room for it.
    this.#look();
    if (this.#received.length === 0) return;
    const h = this.#h;
    const { seq, got } = this.#received[pick % this.#received.length];
    const answer = h.answered();
    h.client.publish(got.reply, undefined, body, confirm ? answer.inbox : undefined);
    await h.rest();
    const known = this.#messages.get(seq)!;
    if (body === "" || body === "+ACK" || body === "+TERM") {
      known.touched = true;
      if (confirm && answer.got.length > 0) known.settled = true;
    }
    answer.end();
  }

  async #restart(crash: boolean): Promise<void> {
    const h = this.#h;
    const crashed = crash ? this.#disk.crash(this.#choose) : undefined;
    await h.close();
    this.#disk = crashed ?? this.#disk;
    this.#inboxes = [];
    this.#seen = [];
    this.#h = await this.#open(h.clock);
  }

  /** Notes what has come. */
  #look(): void {
    this.#inboxes.forEach((inbox, i) => {
      for (const got of inbox.slice(this.#seen[i])) {
        if (got.headers.startsWith("NATS/1.0 ")) continue;
        const seq = Number(got.reply.split(".")[5]);
        const known = this.#messages.get(seq);
        assert.ok(known !== undefined, `message ${seq} is wanted`);
        assert.ok(!known.settled, `message ${seq} does not come any more`);
        known.delivered += 1;
        this.#received.push({ seq, got });
      }
      this.#seen[i] = inbox.length;
    });
  }

  async #check(): Promise<void> {
    const { num_pending, num_ack_pending, ack_floor, delivered, num_redelivered } =
      await this.#h.request("CONSUMER.INFO.S.c");
    const position = this.#h.consumers.get("c")!.position;
    let left = 0;
    for (const [seq, { removed, settled }] of this.#messages) {
      if (!removed && seq >= position && this.#h.store.has(seq)) left += 1;
      if (!settled && !removed) assert.ok(this.#h.store.has(seq) || this.#messages.get(seq)!.touched);
    }
    assert.equal(num_pending, left, "what is left is counted right");
    assert.ok(num_ack_pending <= this.#options.maxAckPending);
    assert.ok(ack_floor.stream_seq <= delivered.stream_seq);
    assert.ok(ack_floor.consumer_seq <= delivered.consumer_seq);
    assert.ok(num_redelivered <= num_ack_pending);
  }

  /** In the end everything has come that was not acknowledged or removed. */
  async #drain(): Promise<void> {
    for (let round = 0; round < 60; round++) {
      await this.#do({ do: "pull", batch: 50, noWait: true });
      this.#look();
      for (let i = 0; i < this.#received.length; i++) {
        const known = this.#messages.get(this.#received[i].seq)!;
        if (!known.settled && !known.removed) await this.#ack(i, "+ACK", true);
      }
      await this.#do({ do: "wait", ms: 1_200 });
      const open = [...this.#messages.values()].some(
        ({ settled, touched, removed }) => !settled && !removed && !touched,
      );
      if (!open) break;
    }
    for (const [seq, { settled, touched, removed }] of this.#messages) {
      assert.ok(settled || touched || removed, `message ${seq} has come and could be acknowledged`);
    }
    const info = await this.#h.request("CONSUMER.INFO.S.c");
    assert.equal(info.num_pending, 0);
    if (this.#options.workQueue) {
      const kept = [...this.#messages].filter(([seq, { settled }]) => settled && this.#h.store.has(seq));
      assert.deepEqual(kept, [], "what is acknowledged is not kept in a work queue");
    }
  }
}

test("messages come until they are acknowledged, and not after that was confirmed, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(action, { maxLength: 40, size: "max" }),
      fc.nat(),
      (given, actions, seed) => new Script(given, picker(seed)).run(actions),
    ),
    { numRuns: RUNS },
  );
});
