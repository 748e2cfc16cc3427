/**
 * A cluster of three real nats-servers, of which the one in use is killed again and again under load. What is lost is counted, and
 * must be explained by at-most-once alone: nothing comes twice or out of order, and what a flush was answered for has left the publisher.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Connection, connect, type Msg } from "../../src/runtime/node/index.ts";
import { RealCluster } from "../support/cluster.ts";
import { soon, until } from "../support/waiting.ts";

const KILLS = 8;

describe("a cluster whose nodes die", () => {
  it("costs only what was on its way", async (context) => {
    const cluster = await RealCluster.start(3);
    const options = {
      servers: cluster.urls,
      reconnectTimeWait: 20,
      reconnectJitter: 10,
      maxReconnectAttempts: -1,
    };
    const publisher = await connect(options);
    const subscriber = await connect(options);
    const witness = new Witness(subscriber);
    await subscriber.flush();
    let number = 0;
    let requests = 0;
    let answered = 0;
    let refused = 0;
    let running = true;
    subscriber.subscribe("square", { callback: (_error, msg) => void msg.respond(msg.data) });
    const load = (async () => {
      while (running) {
        for (let i = 0; i < 50; i++) publisher.publish("n", String(number++));
        const request = publisher.request("square", String(requests++), { timeout: 500 }).then(
          () => void answered++,
          () => void refused++,
        );
        // A turn of the event loop, so that sockets are read.
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (requests % 50 === 0) await request;
      }
    })();
    /** From what had come when a node was killed, to what was published when messages went through again. */
    const outages: [from: number, to: number][] = [];
    while (outages.length < KILLS) {
      const victim = cluster.nodeOf((outages.length % 2 === 0 ? publisher : subscriber).getServer());
      const before = publisher.stats().reconnects + subscriber.stats().reconnects;
      const from = witness.last;
      await cluster.kill(victim);
      await until(
        () => publisher.stats().reconnects + subscriber.stats().reconnects > before,
        "somebody is back",
      );
      await settled(publisher, subscriber);
      await cluster.revive(victim);
      await settled(publisher, subscriber);
      outages.push([from, number]);
      const count = witness.got;
      await until(() => witness.got > count + 500, "messages come again");
    }
    running = false;
    await soon(load, "the load's end");
    await until(() => answered + refused === requests, "all requests have settled");
    await until(() => witness.last === number - 1, "the last message");
    assert.deepEqual(witness.wrong, [], "nothing comes twice or out of order");
    const unexplained = witness.gaps.filter(
      ([first, last]) => !outages.some(([from, to]) => first > from && last < to),
    );
    assert.deepEqual(unexplained, [], "nothing is lost but while a node was gone");
    assert.ok(answered > 0);
    context.diagnostic(
      `${KILLS} kills: ${number - witness.got} of ${number} messages lost, which were on their way or had nobody to go to while ` +
        `a node was gone; ${refused} of ${requests} requests were told so`,
    );
    await publisher.close();
    await subscriber.close();
    await cluster.close();
  });
});

/** Notes what comes, and what comes wrongly. */
class Witness {
  got = 0;
  last = -1;
  readonly wrong: string[] = [];
  /** First and last of what has not come, where something has not. */
  readonly gaps: [first: number, last: number][] = [];

  constructor(connection: Connection) {
    connection.subscribe("n", { callback: (_error, msg) => this.#note(msg) });
  }

  #note(msg: Msg): void {
    const number = Number(msg.string());
    if (number <= this.last) this.wrong.push(`${number} after ${this.last}`);
    if (number > this.last + 1) this.gaps.push([this.last + 1, number - 1]);
    this.last = number;
    this.got += 1;
  }
}

/** Resolves when the connection has a server that answers. */
async function connected(connection: Connection): Promise<void> {
  let done = false;
  while (!done) {
    done = await connection.flush({ timeout: 2_000 }).then(
      () => true,
      () => false,
    );
  }
}

/** Waits until what one publishes reaches the other: routes between nodes take a while. */
async function settled(publisher: Connection, subscriber: Connection): Promise<void> {
  await connected(publisher);
  await connected(subscriber);
  const ready = subscriber.subscribe("ready", { max: 1 });
  const came = (async () => {
    for await (const _ of ready) return;
  })();
  let here = false;
  void came.then(() => {
    here = true;
  });
  await until(() => {
    publisher.publish("ready");
    return here;
  }, "the routes stand");
}
