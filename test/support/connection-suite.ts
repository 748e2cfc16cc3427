import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type ConnectionOptions, errors, headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { first, soon } from "./waiting.ts";

/** One way for a client to reach a server. */
export interface Way {
  /** Opens a connection, to a server that all connections of the test share. */
  connect(options?: ConnectionOptions): Promise<NatsConnection>;
  /** Ends the server. */
  close(): Promise<void>;
}

/** Where the official client promises less than ours does. */
export interface Promises {
  /** A payload may be changed as soon as it was published (nats.go's rule; the official JavaScript client sends it later). */
  readonly copiesPayloads: boolean;
  /** No callback is called after `close`. */
  readonly quietAfterClose: boolean;
}

/** What our client promises. */
export const OURS: Promises = { copiesPayloads: true, quietAfterClose: true };
/** What the official one does. */
export const OFFICIAL: Promises = { copiesPayloads: false, quietAfterClose: false };

/**
 * What a NATS connection does, whatever it is made of: run over every way in, with our client and with the official one.
 */
export function connectionSuite(name: string, promises: Promises, open: () => Promise<Way>): void {
  describe(name, () => {
    let way: Way;
    let a: NatsConnection;
    let b: NatsConnection;

    beforeEach(async () => {
      way = await open();
      a = await way.connect({ name: "a" });
      b = await way.connect({ name: "b" });
    });

    afterEach(async () => {
      await a.close();
      await b.close();
      await way.close();
    });

    it("delivers to a callback, in order", async () => {
      const got: string[] = [];
      a.subscribe("greet.*", { callback: (_error, msg) => void got.push(`${msg.subject} ${msg.string()}`) });
      await a.flush();
      for (let i = 0; i < 1000; i++) b.publish(`greet.${i % 3}`, `hello ${i}`);
      await b.flush();
      await a.flush();
      assert.deepEqual(
        got,
        Array.from({ length: 1000 }, (_, i) => `greet.${i % 3} hello ${i}`),
      );
    });

    it("delivers to an iterator, in order", async () => {
      const subscription = a.subscribe("n", { max: 500 });
      await a.flush();
      for (let i = 0; i < 500; i++) b.publish("n", String(i));
      const got: number[] = [];
      for await (const msg of subscription) got.push(Number(msg.string()));
      assert.deepEqual(
        got,
        Array.from({ length: 500 }, (_, i) => i),
      );
    });

    it("never calls back inside publish", async () => {
      let inside = true;
      let called: boolean | undefined;
      a.subscribe("self", {
        callback: () => {
          called = inside;
        },
      });
      await a.flush();
      a.publish("self");
      inside = false;
      await a.flush();
      assert.equal(called, false);
    });

    it("carries bytes, text, and nothing", async () => {
      const subscription = a.subscribe("p", { max: 4 });
      await a.flush();
      b.publish("p", new Uint8Array([0, 255, 13, 10]));
      b.publish("p", "grüße €");
      b.publish("p", "plain");
      b.publish("p");
      const [bytes, text, plain, nothing] = await first(4, subscription);
      assert.deepEqual([...bytes.data], [0, 255, 13, 10]);
      assert.equal(text.string(), "grüße €");
      assert.deepEqual([...text.data], [...new TextEncoder().encode("grüße €")]);
      assert.equal(plain.string(), "plain");
      assert.deepEqual(
        [...plain.data],
        [..."plain"].map((char) => char.charCodeAt(0)),
      );
      assert.equal(nothing.data.length, 0);
    });

    if (promises.copiesPayloads) {
      it("lets the publisher change its payload after the call", async () => {
        const subscription = a.subscribe("p", { max: 2 });
        await a.flush();
        const payload = new Uint8Array([1, 2, 3]);
        b.publish("p", payload);
        payload.fill(9);
        const [msg] = await first(1, subscription);
        assert.deepEqual([...msg.data], [1, 2, 3]);
      });
    }

    it("gives each subscriber a payload of its own", async () => {
      const one = a.subscribe("p", { max: 1 });
      const two = a.subscribe("p", { max: 1 });
      const three = b.subscribe("p", { max: 1 });
      await a.flush();
      await b.flush();
      b.publish("p", new Uint8Array([1, 2, 3]));
      const [first1] = await first(1, one);
      first1.data.fill(9);
      const [first2] = await first(1, two);
      const [first3] = await first(1, three);
      assert.deepEqual([...first2.data], [1, 2, 3]);
      assert.deepEqual([...first3.data], [1, 2, 3]);
    });

    it("carries large payloads", async () => {
      const subscription = a.subscribe("large", { max: 20 });
      await a.flush();
      const sizes = [65_535, 65_536, 65_537, 200_000, 1_048_576];
      for (const size of sizes) b.publish("large", new Uint8Array(size).fill(size & 255));
      for (const [i, msg] of (await first(sizes.length, subscription)).entries()) {
        assert.equal(msg.data.length, sizes[i]);
        assert.ok(msg.data.every((byte) => byte === (sizes[i] & 255)));
      }
    });

    it("refuses a payload larger than max_payload, and stays open", async () => {
      assert.throws(() => a.publish("large", new Uint8Array(1_048_577)), errors.InvalidArgumentError);
      await a.flush();
    });

    it("carries headers", async () => {
      const subscription = a.subscribe("h", { max: 3 });
      await a.flush();
      const h = headers();
      h.append("One", "1");
      h.append("Many", "a");
      h.append("Many", "b c");
      b.publish("h", "text", { headers: h });
      b.publish("h", "", { headers: h });
      b.publish("h", new Uint8Array([7]), { headers: h, reply: "r" });
      const [one, two, three] = await first(3, subscription);
      for (const msg of [one, two, three]) {
        assert.equal(msg.headers?.get("One"), "1");
        assert.deepEqual(msg.headers?.values("Many"), ["a", "b c"]);
      }
      assert.equal(one.string(), "text");
      assert.equal(two.data.length, 0);
      assert.deepEqual([...three.data], [7]);
      assert.equal(three.reply, "r");
    });

    it("publishes and answers with messages as they are", async () => {
      const copies = a.subscribe("copy", { max: 1 });
      a.subscribe("orig", {
        callback: (_error, msg) => {
          const other = {
            ...msg,
            subject: "copy",
            data: msg.data,
            reply: msg.reply,
            headers: msg.headers,
          } as Msg;
          a.publishMessage(other);
          a.respondMessage(msg);
        },
      });
      await a.flush();
      const h = headers();
      h.set("K", "v");
      const answer = await b.request("orig", "text", { headers: h, timeout: 1_000 });
      const [copy] = await first(1, copies);
      for (const msg of [answer, copy]) {
        assert.equal(msg.string(), "text");
        assert.equal(msg.headers?.get("K"), "v");
      }
      assert.equal(a.respondMessage({ ...copy, data: copy.data, reply: "" } as Msg), false);
    });

    it("answers requests", async () => {
      a.subscribe("double", {
        callback: (_error, msg) => void msg.respond(String(Number(msg.string()) * 2)),
      });
      await a.flush();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) => b.request("double", String(i))),
      );
      assert.deepEqual(
        answers.map((msg) => Number(msg.string())),
        Array.from({ length: 100 }, (_, i) => i * 2),
      );
    });

    it("answers a request on a subscription of its own", async () => {
      a.subscribe("echo", { callback: (_error, msg) => void msg.respond(msg.data) });
      await a.flush();
      const answer = await b.request("echo", "hi", { noMux: true, timeout: 1000 });
      assert.equal(answer.string(), "hi");
      const named = await b.request("echo", "ho", { noMux: true, timeout: 1000, reply: "my.reply" });
      assert.equal(named.subject, "my.reply");
    });

    it("tells that nobody serves a request", async () => {
      for (const noMux of [false, true]) {
        await assert.rejects(b.request("nobody", "", { timeout: 1000, noMux }), (error: Error) => {
          assert.ok(error instanceof errors.RequestError);
          assert.ok(error.cause instanceof errors.NoRespondersError);
          assert.ok(error.isNoResponders());
          return true;
        });
      }
    });

    it("tells that a request was not answered in time", async () => {
      a.subscribe("silent", { callback: () => {} });
      await a.flush();
      for (const noMux of [false, true]) {
        await assert.rejects(b.request("silent", "", { timeout: 30, noMux }), errors.TimeoutError);
      }
    });

    it("collects many answers", async () => {
      for (let i = 0; i < 3; i++) {
        a.subscribe("many", { callback: (_error, msg) => void msg.respond(String(i)) });
      }
      a.subscribe("stream", {
        callback: (_error, msg) => {
          for (let i = 0; i < 4; i++) msg.respond(`part ${i}`);
          msg.respond("");
        },
      });
      await a.flush();
      const collect = async (answers: Promise<AsyncIterable<Msg>>): Promise<string[]> => {
        const got: string[] = [];
        for await (const msg of await answers) got.push(msg.string());
        return got;
      };
      for (const noMux of [false, true]) {
        const count = await collect(
          b.requestMany("many", "", { strategy: "count", maxMessages: 3, maxWait: 4000, noMux }),
        );
        assert.deepEqual(count.sort(), ["0", "1", "2"]);
        const timer = await collect(b.requestMany("many", "", { strategy: "timer", maxWait: 50, noMux }));
        assert.equal(timer.length, 3);
        const sentinel = await collect(
          b.requestMany("stream", "", { strategy: "sentinel", maxWait: 4000, noMux }),
        );
        assert.deepEqual(sentinel, ["part 0", "part 1", "part 2", "part 3", ""]);
        const stall = await collect(b.requestMany("many", "", { strategy: "stall", maxWait: 4000, noMux }));
        assert.equal(stall.length, 3);
      }
    });

    it("tells that nobody serves a request for many", async () => {
      await assert.rejects(async () => {
        for await (const _ of await b.requestMany("nobody", "", { maxWait: 1000 })) assert.fail("an answer");
      }, errors.NoRespondersError);
    });

    it("shares a subject among the members of a queue group", async () => {
      let one = 0;
      let two = 0;
      let all = 0;
      a.subscribe("work", { queue: "q", callback: () => void one++ });
      b.subscribe("work", { queue: "q", callback: () => void two++ });
      b.subscribe("work", { callback: () => void all++ });
      await a.flush();
      await b.flush();
      for (let i = 0; i < 200; i++) a.publish("work", "x");
      await a.flush();
      await b.flush();
      assert.equal(one + two, 200);
      assert.ok(one > 20 && two > 20, `${one} and ${two}`);
      assert.equal(all, 200);
    });

    it("ends a subscription after its maximum", async () => {
      let called = 0;
      const callback = a.subscribe("m", { max: 3, callback: () => void called++ });
      const iterator = a.subscribe("m");
      iterator.unsubscribe(2);
      await a.flush();
      for (let i = 0; i < 5; i++) b.publish("m", String(i));
      const got: string[] = [];
      for await (const msg of iterator) got.push(msg.string());
      await b.flush();
      await a.flush();
      assert.deepEqual(got, ["0", "1"]);
      assert.equal(called, 3);
      assert.ok(callback.isClosed());
      assert.equal(callback.getReceived(), 3);
      await soon(callback.closed, "the subscription's end");
      await soon(iterator.closed, "the subscription's end");
    });

    it("delivers nothing after unsubscribe", async () => {
      let called = 0;
      const subscription = a.subscribe("u", { callback: () => void called++ });
      await a.flush();
      b.publish("u");
      await b.flush();
      await a.flush();
      subscription.unsubscribe();
      b.publish("u");
      await b.flush();
      await a.flush();
      assert.equal(called, 1);
      assert.ok(subscription.isClosed());
    });

    it("ends a subscription whose reader leaves the loop", async () => {
      const subscription = a.subscribe("l");
      await a.flush();
      for (let i = 0; i < 10; i++) b.publish("l", String(i));
      for await (const msg of subscription) if (msg.string() === "3") break;
      assert.ok(subscription.isClosed());
      await soon(subscription.closed, "the subscription's end");
    });

    it("drains a subscription", async () => {
      let called = 0;
      const subscription = a.subscribe("d", { callback: () => void called++ });
      await a.flush();
      for (let i = 0; i < 100; i++) b.publish("d");
      await b.flush();
      await subscription.drain();
      assert.equal(called, 100);
      assert.ok(subscription.isClosed());
      b.publish("d");
      await b.flush();
      await a.flush();
      assert.equal(called, 100);
    });

    it("drains a connection: what came is delivered, what was published arrives", async () => {
      let answered = 0;
      let served = 0;
      b.subscribe("answer", { callback: () => void answered++ });
      const reader = a.subscribe("task");
      a.subscribe("task", {
        callback: () => {
          served++;
          a.publish("answer");
        },
      });
      await a.flush();
      await b.flush();
      for (let i = 0; i < 100; i++) b.publish("task");
      await b.flush();
      await a.drain();
      await b.flush();
      assert.equal(served, 100);
      assert.equal(answered, 100);
      let read = 0;
      for await (const _ of reader) read++;
      assert.equal(read, 100);
      assert.ok(a.isClosed());
      assert.throws(() => a.publish("x"), errors.ClosedConnectionError);
      assert.throws(() => a.subscribe("x"), errors.ClosedConnectionError);
      await assert.rejects(a.request("x"), errors.ClosedConnectionError);
      await assert.rejects(a.flush(), errors.ClosedConnectionError);
      await assert.rejects(a.drain(), errors.ClosedConnectionError);
    });

    if (promises.quietAfterClose) {
      it("delivers nothing to callbacks after close", async () => {
        let called = 0;
        const subscription = a.subscribe("c", {
          callback: () => {
            called++;
            void a.close();
          },
        });
        await a.flush();
        for (let i = 0; i < 10; i++) b.publish("c");
        await b.flush();
        await soon(a.closed(), "the end of the connection");
        assert.equal(called, 1);
        await soon(subscription.closed, "the end of the subscription");
        await a.close();
      });
    }

    it("keeps its own messages away with noEcho", async () => {
      const quiet = await way.connect({ noEcho: true });
      const got: string[] = [];
      quiet.subscribe("e", { callback: (_error, msg) => void got.push(msg.string()) });
      await quiet.flush();
      quiet.publish("e", "mine");
      b.publish("e", "yours");
      await b.flush();
      await quiet.flush();
      assert.deepEqual(got, ["yours"]);
      await quiet.close();
    });

    it("goes on when a callback throws", async () => {
      let called = 0;
      a.subscribe("t", {
        callback: () => {
          called++;
        },
      });
      await a.flush();
      b.publish("t");
      b.publish("t");
      await b.flush();
      await a.flush();
      assert.equal(called, 2);
    });

    it("refuses subjects that cannot be", async () => {
      for (const subject of ["", "a b", "a\tb", "a\r\nb"]) {
        assert.throws(() => a.publish(subject), errors.InvalidSubjectError);
        assert.throws(() => a.subscribe(subject), errors.InvalidSubjectError);
        await assert.rejects(a.request(subject), errors.InvalidSubjectError);
      }
      await a.flush();
    });

    it("hears from the server that a subject cannot be subscribed to", async () => {
      const status = a.status()[Symbol.asyncIterator]();
      const event = status.next();
      a.subscribe("a..b");
      const { value } = await soon(event, "a status event");
      assert.equal(value.type, "error");
      assert.match(value.error.message, /Invalid Subject/i);
    });

    it("counts", async () => {
      a.subscribe("s", { callback: () => {} });
      await a.flush();
      b.publish("s", "four");
      b.publish("s", "grüße");
      await b.flush();
      await a.flush();
      assert.equal(b.stats().outMsgs, 2);
      assert.equal(b.stats().outBytes, 11);
      assert.equal(a.stats().inMsgs, 2);
      assert.equal(a.stats().inBytes, 11);
    });

    it("tells about the server and the way to it", async () => {
      assert.equal(a.info?.max_payload, 1_048_576);
      assert.equal(a.info?.headers, true);
      assert.match(a.info?.server_id ?? "", /^N[A-Z2-7]{55}$/);
      assert.match(a.info?.version ?? "", /^2\.\d+\.\d+/);
      assert.notEqual(a.getServer(), "");
      assert.ok((await a.rtt()) >= 0);
      assert.equal(a.isClosed(), false);
      assert.equal(a.isDraining(), false);
    });

    it("ends with await using", async () => {
      const c = await way.connect();
      let called = 0;
      c.subscribe("dispose", { callback: () => void called++ });
      await c.flush();
      b.publish("dispose");
      await b.flush();
      await c[Symbol.asyncDispose]();
      assert.ok(c.isClosed());
      assert.equal(called, 1);
    });
  });
}
