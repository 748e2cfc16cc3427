/**
 * Thousands of random scripts of calls, on links that fail anywhere, under a virtual clock: all end in the state that a model predicts.
 * The model knows at-most-once: what was handed to a link that broke before a flush was answered may be lost, nothing else may.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { connectWith } from "../../src/client/connect.ts";
import type { Connection } from "../../src/client/connection.ts";
import * as connector from "../../src/client/connector.ts";
import type { ClientSubscription } from "../../src/client/subscription.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import { Server } from "../../src/server/server.ts";
import { FaultyNetwork } from "../support/faulty-network.ts";
import { settle, simulatedRuntime, VirtualClock } from "../support/simulated.ts";

type Call =
  | { do: "publish"; count: number }
  | { do: "subscribe"; max: number; iterate: boolean }
  | { do: "unsubscribe"; which: number; max: number }
  | { do: "drain"; which: number }
  | { do: "feed"; count: number }
  | { do: "request"; noMux: boolean }
  | { do: "requestMany" }
  | { do: "flush"; timeout: boolean }
  | { do: "reconnect" }
  | { do: "cut"; after: number }
  | { do: "breakNext"; after: number }
  | { do: "refuse"; times: number }
  | { do: "stick"; stuck: boolean }
  | { do: "pass"; ms: number };

const small = fc.integer({ min: 1, max: 4 });
const CALL: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 20 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      max: fc.integer({ min: 0, max: 6 }),
      iterate: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("unsubscribe" as const),
      which: fc.nat(5),
      max: fc.integer({ min: 0, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), which: fc.nat(5) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("feed" as const), count: small }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("request" as const), noMux: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("requestMany" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("flush" as const), timeout: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reconnect" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("cut" as const), after: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("breakNext" as const), after: fc.nat(700) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refuse" as const), times: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stick" as const), stuck: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(60) }) },
);

/** A subscription, and what the model knows of it. */
interface Tracked {
  readonly subscription: ClientSubscription;
  readonly got: number[];
  max: number;
  /** Ended by a call. */
  over: boolean;
}

class Run {
  readonly clock = new VirtualClock();
  readonly #runtime;
  readonly server: Server;
  readonly network: FaultyNetwork;
  client!: Connection;
  helper!: Connection;
  /** What the helper has got of what the client has published. */
  readonly arrived: number[] = [];
  readonly subscriptions: Tracked[] = [];
  /** Names of calls whose promise has not settled. */
  readonly pending = new Map<number, string>();
  #calls = 0;
  #published = 0;
  #fed = 0;
  #connected = true;
  /** Numbers that must have arrived in the end. */
  readonly certain = new Set<number>();
  /** Numbers that the link at hand has been given, or will be: they wait for a link. */
  #atRisk: number[] = [];

  constructor(seed: number) {
    this.#runtime = simulatedRuntime(this.clock, seed);
    this.server = new Server(checkedSettings({}), this.#runtime);
    this.network = new FaultyNetwork(this.clock, this.#runtime.random.fraction, (link) =>
      this.server.inProcessConn().accept(link),
    );
  }

  async open(): Promise<void> {
    this.helper = await connectWith({ inProcessServer: this.server }, this.#runtime);
    this.helper.subscribe("from.client", {
      callback: (_error, msg) => void this.arrived.push(Number(msg.string())),
    });
    this.helper.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
    const opening = connectWith(
      {
        servers: "simulated",
        resolve: false,
        reconnectTimeWait: 10,
        reconnectJitter: 5,
        maxReconnectAttempts: -1,
        timeout: 50,
        pingInterval: 100,
        onStatus: (status) => {
          if (status.type === "disconnect") {
            this.#connected = false;
            // What the link had been given may be lost now.
            this.#atRisk = [];
          }
          if (status.type === "reconnect") this.#connected = true;
        },
      },
      { ...this.#runtime, dial: this.network.dial },
      // Loading takes real time.
      () => Promise.resolve(connector),
    );
    await this.clock.advance(50);
    this.client = await opening;
  }

  #track(name: string, promise: Promise<unknown>): void {
    const call = this.#calls++;
    this.pending.set(call, name);
    const over = (): void => void this.pending.delete(call);
    promise.then(over, over);
  }

  async make(call: Call): Promise<void> {
    const { client, network } = this;
    const tracked =
      "which" in call ? this.subscriptions[call.which % Math.max(1, this.subscriptions.length)] : undefined;
    switch (call.do) {
      case "publish":
        for (let i = 0; i < call.count; i++) {
          const number = this.#published++;
          client.publish(
            "from.client",
            i % 2 === 0 ? String(number) : new TextEncoder().encode(String(number)),
          );
          this.#atRisk.push(number);
        }
        break;
      case "subscribe":
        this.#subscribe(call.max, call.iterate);
        break;
      case "unsubscribe":
        if (tracked === undefined || tracked.subscription.isClosed()) break;
        // A server may have ended it at its earlier maximum before it hears of a higher one: that nobody can foretell.
        if (call.max > tracked.max && tracked.max > 0) break;
        tracked.subscription.unsubscribe(call.max);
        tracked.max = call.max;
        tracked.over ||= call.max === 0 || tracked.got.length >= call.max;
        break;
      case "drain":
        if (tracked === undefined) break;
        tracked.over = true;
        this.#track("drain", tracked.subscription.drain());
        break;
      case "feed":
        for (let i = 0; i < call.count; i++) this.helper.publish("to.client", String(this.#fed++));
        break;
      case "request":
        this.#track("request", client.request("echo", "x", { timeout: 40, noMux: call.noMux }));
        break;
      case "requestMany":
        this.#track("requestMany", this.#many());
        break;
      case "flush":
        this.#flush(call.timeout);
        break;
      case "reconnect":
        this.#track("reconnect", client.reconnect());
        break;
      case "cut":
        network.cut(call.after);
        break;
      case "breakNext":
        network.budget = call.after;
        break;
      case "refuse":
        network.refusals = call.times;
        break;
      case "stick":
        if (call.stuck) network.stuck = true;
        else network.unstick();
        break;
      case "pass":
        await this.clock.advance(call.ms);
        break;
    }
  }

  #subscribe(max: number, iterate: boolean): void {
    const got: number[] = [];
    const callback = (_error: Error | null, msg: { string(): string }): void =>
      void got.push(Number(msg.string()));
    const subscription = this.client.subscribe("to.client", { max, ...(iterate ? {} : { callback }) });
    this.subscriptions.push({ subscription, got, max, over: false });
    if (!iterate) return;
    this.#track(
      "reader",
      (async () => {
        for await (const msg of subscription) got.push(Number(msg.string()));
      })(),
    );
  }

  async #many(): Promise<void> {
    for await (const _ of await this.client.requestMany("echo", "x", { maxWait: 30 }));
  }

  /** When it is answered, all that was published before on this link has arrived. */
  #flush(timeout: boolean): void {
    const before = this.#atRisk;
    const count = before.length;
    const flushed = this.client.flush(timeout ? { timeout: 20 } : {});
    this.#track("flush", flushed);
    flushed.then(
      () => {
        for (const number of before.slice(0, count)) this.certain.add(number);
      },
      () => {},
    );
  }

  /** The network is well again: all that waits comes to its end, and everybody says so. */
  async recover(): Promise<void> {
    this.network.refusals = 0;
    this.network.budget = Number.POSITIVE_INFINITY;
    this.network.cut(Number.POSITIVE_INFINITY);
    this.network.unstick();
    // As long as it takes to find a stale connection.
    await this.clock.advance(1_000);
    assert.ok(this.#connected, "it is connected again");
    this.#flush(false);
    await this.clock.advance(50);
  }

  check(): void {
    increasing(this.arrived, "what arrived");
    const arrived = new Set(this.arrived);
    for (const number of this.certain) assert.ok(arrived.has(number), `${number} was lost`);
    for (const { subscription, got, max, over } of this.subscriptions) {
      increasing(got, "what a subscription got");
      if (max > 0 && !over) assert.ok(got.length <= max, `${got.length} > ${max}`);
      assert.equal(
        subscription.isClosed(),
        over || (max > 0 && got.length >= max),
        "closed as the model says",
      );
    }
    const readers = this.subscriptions.filter(({ subscription }) => !subscription.isClosed()).length;
    const waiting = [...this.pending.values()];
    assert.ok(
      waiting.every((name) => name === "reader") && waiting.length <= readers,
      `still waiting: ${waiting}`,
    );
  }

  /** Each subscription that is still there gets what comes now, as far as its maximum goes. */
  async checkDelivery(): Promise<void> {
    const before = this.subscriptions.map(({ got }) => got.length);
    const open = this.subscriptions.map(({ subscription }) => !subscription.isClosed());
    for (let i = 0; i < 3; i++) this.helper.publish("to.client", String(this.#fed++));
    await this.clock.advance(100);
    for (const [i, { got, max }] of this.subscriptions.entries()) {
      const expected = !open[i] ? 0 : max > 0 ? Math.min(3, max - before[i]) : 3;
      assert.equal(got.length - before[i], expected, `subscription ${i}`);
    }
  }

  async close(how: number): Promise<void> {
    if (how === 0) this.network.cut();
    if (how <= 1) void this.client.close();
    else this.#track("drain", this.client.drain());
    await this.clock.advance(10_000);
    assert.deepEqual([...this.pending.values()], [], "nothing waits");
    assert.ok(this.client.isClosed());
    void this.helper.close();
    const closing = this.server.close();
    await this.clock.advance(20_000);
    await closing;
    await settle();
    assert.equal(this.clock.pending, 0, "no timer is left");
  }
}

function increasing(numbers: readonly number[], what: string): void {
  for (let i = 1; i < numbers.length; i++)
    assert.ok(numbers[i] > numbers[i - 1], `${what}: ${numbers[i]} after ${numbers[i - 1]}`);
}

describe("a connection over links that fail at any call", () => {
  it("ends in the state that the model predicts", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(CALL, { maxLength: 40 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.nat(2),
        async (calls, seed, how) => {
          const run = new Run(seed);
          await run.open();
          for (const call of calls) await run.make(call);
          await run.recover();
          run.check();
          await run.checkDelivery();
          run.check();
          await run.close(how);
        },
      ),
      { numRuns: 2_000, seed: 1 },
    );
  });
});
