/** A program that changes its import sees no difference: each script is run with the official client and with ours, against one nats-server. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ConnectionOptions, Msg, NatsConnection } from "@nats-io/nats-core";
import { headers } from "@nats-io/nats-core";
import { connect as official } from "@nats-io/transport-node";
import { connect as ours } from "../../src/runtime/node/index.ts";
import { RealServer } from "../support/real-server.ts";
import { soon } from "../support/waiting.ts";

type Connect = (options?: ConnectionOptions) => Promise<NatsConnection>;

/** Does things with a connection, and tells what came of them. */
type Script = (nc: NatsConnection, tell: (...what: unknown[]) => void) => Promise<void>;

/** What came of a call: its value, or its error's class and words. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** All that an iterator gives, and how it ends. */
async function all(iterator: AsyncIterable<Msg>): Promise<string[]> {
  const got: string[] = [];
  const end = await outcome(async () => {
    for await (const msg of iterator) got.push(msg.string());
    return "end";
  });
  return [...got, String(end)];
}

/** For what the types forbid, and programs without types do. */
const NULL = null as never;

const SCRIPTS: Readonly<Record<string, Script>> = {
  "takes null for what is not given": async (nc, tell) => {
    const subscription = nc.subscribe("a", { queue: NULL, timeout: NULL });
    tell(await outcome(() => nc.publish("a", "1", NULL)));
    tell(await outcome(() => nc.publish("a", "2", { headers: NULL, reply: NULL })));
    tell(await outcome(async () => nc.request("a", "3", { timeout: 1, headers: NULL })));
    await nc.flush();
    subscription.unsubscribe(NULL);
    tell(await all(subscription));
  },
  "refuses a subject that is none": async (nc, tell) => {
    for (const subject of ["", "a b", " "]) {
      tell(await outcome(() => nc.publish(subject)));
      tell(await outcome(() => void nc.subscribe(subject)));
      tell(await outcome(() => nc.request(subject)));
      tell(await outcome(() => nc.requestMany(subject)));
      tell(await outcome(() => nc.publish("a", "", { reply: subject })));
    }
    const name = async (call: () => unknown): Promise<string> => String(await outcome(call)).split(":")[0];
    for (const subject of [NULL, undefined as never]) {
      tell(await name(() => nc.publish(subject)));
      tell(await name(() => void nc.subscribe(subject)));
      tell(await name(() => nc.request(subject)));
    }
  },
  "does not report a slow callback": async (nc, tell) => {
    let called = 0;
    tell(await outcome(() => void nc.subscribe("a", { slow: 1, callback: () => void called++ })));
    for (let i = 0; i < 5; i++) nc.publish("a");
    await nc.flush();
    tell(called);
  },
  "gives what waits to an iterator after the connection is closed": async (nc, tell) => {
    const subscription = nc.subscribe("a");
    for (let i = 0; i < 5; i++) nc.publish("a", String(i));
    await nc.flush();
    await nc.close();
    tell(subscription.getPending(), await all(subscription), await subscription.closed);
  },
  "gives what waits to an iterator after a drain": async (nc, tell) => {
    const subscription = nc.subscribe("a");
    for (let i = 0; i < 5; i++) nc.publish("a", String(i));
    await nc.drain();
    tell(subscription.getPending(), await all(subscription), await subscription.closed);
  },
  "ends at a maximum, also one that has been passed": async (nc, tell) => {
    const reached = nc.subscribe("a", { max: 2 });
    const passed = nc.subscribe("a");
    for (let i = 0; i < 5; i++) nc.publish("a", String(i));
    await nc.flush();
    passed.unsubscribe(3);
    for (const each of [reached, passed]) tell(await all(each), each.getReceived(), each.isClosed());
  },
  "tells about a subscription": async (nc, tell) => {
    const [first, second] = [nc.subscribe("a.*", { max: 3 }), nc.subscribe("b", { callback: () => {} })];
    const facts = (): void => {
      for (const each of [first, second])
        tell(each.getSubject(), each.getID(), each.getReceived(), each.getProcessed(), each.isDraining());
      tell(first.getPending(), first.getMax(), second.getMax());
    };
    facts();
    for (let i = 0; i < 2; i++) for (const subject of ["a.b", "b"]) nc.publish(subject);
    await nc.flush();
    facts();
    for await (const _ of first) {
      facts();
      if (first.getProcessed() === 2) break;
    }
    const drained = second.drain();
    tell(second.isDraining());
    await drained;
    tell(second.isClosed(), second.isDraining());
    tell(await outcome(() => second.drain()));
  },
  "ends a loop with what broke it": async (nc, tell) => {
    const subscription = nc.subscribe("a");
    nc.publish("a");
    tell(
      await outcome(async () => {
        for await (const _ of subscription) throw new Error("mine");
      }),
    );
    tell(subscription.isClosed(), await subscription.closed);
  },
  "fails requests with the same errors": async (nc, tell) => {
    nc.subscribe("silent");
    for (const noMux of [false, true]) {
      tell(await outcome(() => nc.request("nobody", "", { timeout: 1_000, noMux })));
      tell(await outcome(() => nc.request("silent", "", { timeout: 20, noMux })));
      tell(await outcome(() => nc.request("silent", "", { timeout: -1, noMux })));
      tell(await all(await nc.requestMany("nobody", "", { maxWait: 1_000, noMux })));
      tell(await all(await nc.requestMany("silent", "", { maxWait: 20, noMux })));
    }
    tell(await outcome(() => nc.request("silent", "", { timeout: 20, reply: "r" })));
    tell(await outcome(() => nc.request("silent", new Uint8Array(2_000_000))));
    tell(await outcome(() => nc.request("silent", 3 as never)));
  },
  "collects answers by each strategy": async (nc, tell) => {
    nc.subscribe("many", {
      callback: (_error, msg) => {
        for (const answer of ["1", "2", "", "3"]) msg.respond(answer);
      },
    });
    tell(await all(await nc.requestMany("many", "", { strategy: "count", maxMessages: 2, maxWait: 5_000 })));
    tell(await all(await nc.requestMany("many", "", { strategy: "sentinel", maxWait: 5_000 })));
    for (const noMux of [false, true]) {
      tell(await all(await nc.requestMany("many", "", { strategy: "timer", maxWait: 100, noMux })));
      tell(
        await all(await nc.requestMany("many", "", { strategy: "stall", stall: 50, maxWait: 5_000, noMux })),
      );
      tell(await all(await nc.requestMany("many", "", { strategy: "count", maxWait: 100, noMux })));
    }
  },
  "gives headers as they were set": async (nc, tell) => {
    const subscription = nc.subscribe("a", { max: 3 });
    const block = headers();
    block.append("a", "1");
    block.append("a", "2");
    block.set("empty", "");
    nc.publish("a", "", { headers: block });
    nc.publish("a", "", { headers: headers() });
    nc.publish("a", "", { headers: headers(408, "later") });
    for await (const msg of subscription)
      tell(msg.headers && [...msg.headers], msg.headers?.code, msg.headers?.description);
    const { inBytes, inMsgs, outBytes, outMsgs } = nc.stats();
    tell(inBytes, inMsgs, outBytes, outMsgs);
  },
  "says the same when it is closed": async (nc, tell) => {
    const subscription = nc.subscribe("a", { callback: () => {} });
    await nc.close();
    const calls: (() => unknown)[] = [
      () => nc.publish("a"),
      () => nc.publishMessage({ subject: "a" } as Msg),
      () => void nc.subscribe("a"),
      () => nc.request("a"),
      () => nc.requestMany("a"),
      () => nc.flush(),
      () => nc.drain(),
      () => nc.close(),
      () => nc.rtt(),
      () => nc.reconnect(),
      () => nc.closed(),
      () => nc.info,
      () => nc.isDraining(),
      () => nc[Symbol.asyncDispose](),
      () => subscription.unsubscribe(),
      () => subscription.drain(),
      () => subscription.closed,
      () => subscription[Symbol.asyncDispose](),
    ];
    for (const call of calls) tell(await outcome(call));
  },
};

describe("our client and the official one", () => {
  let server: RealServer;
  const clients: Readonly<Record<string, Connect>> = { official, ours };

  before(async () => {
    server = await RealServer.start();
  });

  after(() => server.close());

  /** What a script tells with each client. */
  const both = async (script: (connect: Connect, tell: (...what: unknown[]) => void) => Promise<void>) => {
    const told: unknown[][] = [];
    for (const connect of Object.values(clients)) {
      const here: unknown[] = [];
      await soon(
        script(connect, (...what) => void here.push(...what)),
        "the script's end",
      );
      told.push(here);
    }
    return told;
  };

  for (const [title, script] of Object.entries(SCRIPTS)) {
    it(title, async () => {
      const [theirs, mine] = await both(async (connect, tell) => {
        const nc = await connect({ servers: server.url });
        try {
          await script(nc, tell);
        } finally {
          await nc.close();
        }
      });
      assert.deepEqual(mine, theirs);
    });
  }

  it("ends loops without an error when the server is gone, after what waits", async () => {
    const [theirs, mine] = await both(async (connect, tell) => {
      const mortal = await RealServer.start();
      const nc = await connect({ servers: mortal.url, reconnect: false });
      const unread = nc.subscribe("a");
      const loop = all(nc.subscribe("b"));
      nc.publish("a", "1");
      nc.publish("a", "2");
      await nc.flush();
      await mortal.close();
      await nc.closed();
      tell(await all(unread), await loop);
    });
    assert.deepEqual(mine, theirs);
  });
});
