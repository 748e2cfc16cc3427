/**
 * A router gives the same answer as looking at every subscription, however it is asked, whatever it remembers, and whoever has come or
 * gone since: it is never a stale one. What it remembers stays within bounds.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Route, Router } from "../../src/interest/router.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { bytesOf, fnv1a } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import {
  answer,
  fillWire,
  naive,
  pattern,
  published,
  queue,
  TestInterest,
  wireMessage,
} from "../support/protocol-interest.ts";
import { liveBytes } from "../support/protocol-memory.ts";

function newRouter(): Router<TestInterest> {
  return new Router<TestInterest>({ classify: (subject) => subject.length });
}

/** A router and the plain way side by side: whatever is asked, both must say the same. */
class Pair {
  readonly router = newRouter();
  readonly live: TestInterest[] = [];
  readonly #message = new Message(new Slab());
  readonly #given: [route: Route<TestInterest>, copy: string][] = [];
  #nextId = 0;

  insert(subject: string, queue?: string): TestInterest {
    const interest = new TestInterest(this.#nextId++, subject, queue);
    this.router.insert(interest);
    this.live.push(interest);
    return interest;
  }

  remove(interest: TestInterest): void {
    this.live.splice(this.live.indexOf(interest), 1);
    this.router.remove(interest);
  }

  /** Asks by text. */
  find(subject: string): void {
    this.#check(subject, this.router.find(subject), "by text");
  }

  /** Asks by bytes. */
  findWire(subject: string): void {
    fillWire(this.#message, subject);
    this.#check(subject, this.router.findWire(this.#message), "by bytes");
  }

  #check(subject: string, route: Route<TestInterest>, how: string): void {
    assert.equal(route.subject, subject);
    assert.equal(route.flags, subject.length);
    const given = answer(route);
    assert.deepEqual(given, naive(this.live, subject), `${subject} ${how}`);
    this.#given.push([route, JSON.stringify(given)]);
  }

  /** Routes in use stay as they are, whatever happened since. */
  checkGiven(): void {
    for (const [route, copy] of this.#given) assert.equal(JSON.stringify(answer(route)), copy);
  }
}

type Step =
  | { do: "insert"; pattern: string; queue: string | undefined }
  | { do: "remove"; which: number }
  | { do: "find" | "findWire"; subject: string }
  // Other subjects are asked for, to push those at hand out of what is remembered.
  | { do: "crowd"; count: number; wire: boolean; twice: boolean };

/** Subjects of which each is asked for, subscribed to and left again and again. */
const FEW = ["a", "b", "a.b", "a.b.c", "_x.a", "_x.b", "_x.b.c", "é.a", "foo.a"];
const few = fc.constantFrom(...FEW);
/** Reply subjects that differ in their last token only are remembered together. */
const inbox = fc.constantFrom("_x.*", "_x.>", "_x.b.*", "_x.*.c", "_x.*.*");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("insert" as const),
      pattern: fc.oneof(few, few, inbox, pattern),
      queue,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), which: fc.nat() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom("find" as const, "findWire" as const, "findWire" as const),
      subject: fc.oneof({ weight: 4, arbitrary: few }, { weight: 1, arbitrary: published }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        // Enough of them, asked for twice, to fill both generations; or asked for once, to overwrite the marks of the others.
        fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom([5, true] as const, [300, true] as const) },
          { weight: 1, arbitrary: fc.constant([4_000, false] as const) },
        ),
        fc.boolean(),
      )
      .map(([[count, twice], wire]) => ({ do: "crowd" as const, count, twice, wire })),
  },
);

/** Takes the steps with a router; a crowd's subjects have many subscribers, so that a few of them fill what may be remembered. */
function live(steps: readonly Step[], crowdName: (i: number) => string, crowdPattern: string): void {
  const pair = new Pair();
  const message = new Message(new Slab());
  const crowd = Array.from({ length: 250 }, (_, i) => new TestInterest(-1 - i, crowdPattern));
  for (const interest of crowd) pair.router.insert(interest);
  let next = 0;
  for (const step of steps) {
    switch (step.do) {
      case "insert":
        pair.insert(step.pattern, step.queue);
        break;
      case "remove":
        if (pair.live.length > 0) pair.remove(pair.live[step.which % pair.live.length]);
        break;
      case "find":
      case "findWire":
        pair[step.do](step.subject);
        break;
      case "crowd":
        for (let i = 0; i < step.count; i++) {
          const name = crowdName(next++);
          for (let time = 0; time < (step.twice ? 2 : 1); time++) {
            fillWire(message, name);
            const route = step.wire ? pair.router.findWire(message) : pair.router.find(name);
            assert.ok(route.plain.length >= crowd.length);
          }
        }
        break;
    }
    assert.equal(pair.router.count, pair.live.length + crowd.length);
  }
  for (const subject of FEW) {
    pair.find(subject);
    pair.findWire(subject);
  }
  pair.checkGiven();
}

describe("a router's answers", () => {
  it("are never stale", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => live(steps, (i) => `crowd.${i}`, "crowd.*")),
      { numRuns: 200 },
    );
  });

  it("are never stale for subjects that crowd one place of the table", () => {
    const crowded = sameHome(2_000);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) =>
        live(steps, (i) => crowded[i % crowded.length], "crowd.*"),
      ),
      { numRuns: 60 },
    );
  });

  it("are not stale once both generations have dropped a route that was found by bytes", () => {
    for (const back of ["find", "findWire"] as const) {
      const pair = new Pair();
      const others = Array.from({ length: 200 }, (_, i) => new TestInterest(1_000 + i, "other.*"));
      for (const interest of others) pair.router.insert(interest);
      const first = pair.insert("foo.bar");
      for (let i = 0; i < 3; i++) pair.findWire("foo.bar");
      // Every route of these counts 201, so that a few hundred fill a generation.
      const message = new Message(new Slab());
      for (let i = 0; i < 800; i++) {
        for (let time = 0; time < 2; time++) {
          fillWire(message, `other.${i}`);
          pair.router.findWire(message);
        }
      }
      pair.remove(first);
      pair[back]("foo.bar");
      pair.findWire("foo.bar");
      pair.insert("foo.bar", "q");
      pair[back]("foo.bar");
      pair.findWire("foo.bar");
    }
  });

  it("are not stale once a subject's mark of having been asked for is gone", () => {
    const pair = new Pair();
    for (let i = 0; i < 3; i++) pair.findWire("foo.bar");
    // A wildcard makes the remembered route untrue; then the marks are overwritten; then it is worked out again, by bytes.
    pair.insert("foo.*");
    for (let i = 0; i < 30_000; i++) pair.router.find(`once.${i}`);
    pair.findWire("foo.bar");
    pair.insert("foo.bar");
    pair.findWire("foo.bar");
    pair.find("foo.bar");
  });

  it("are right for subjects whose hashes are the same", () => {
    const twins = sameHash();
    assert.ok(twins.length >= 3, "the search for subjects with one hash has found some");
    const pair = new Pair();
    for (let round = 0; round < 4; round++) {
      for (const [a, b] of twins) {
        for (const subject of [a, b, a, b]) {
          pair.findWire(subject);
          pair.findWire(subject);
        }
        const interest = pair.insert(a);
        for (const subject of [a, b, b, a]) pair.findWire(subject);
        pair.insert(b, "q");
        for (const subject of [b, a, b, a]) pair.findWire(subject);
        if (round % 2 === 0) pair.remove(interest);
        for (const subject of [a, b, a, b]) pair.findWire(subject);
      }
    }
    pair.checkGiven();
  });

  it("are right for every kind of subject, malformed ones too", () => {
    const pair = new Pair();
    for (const pattern of [">", "*", "*.*", "foo.>", "foo.*", "é.>", "_INBOX.>", "_INBOX.a"]) {
      pair.insert(pattern);
      pair.insert(pattern, "q");
    }
    const subjects = [
      "",
      ".",
      "..",
      "foo",
      "foo.",
      ".foo",
      "foo..bar",
      "*",
      ">",
      "foo.*",
      "foo.>",
      "foo*",
      "é",
      "é.a",
      "a\udcff",
      "_INBOX.a",
      "_INBOX.b",
      "_",
      "__proto__",
      "constructor",
    ];
    for (let round = 0; round < 5; round++) {
      for (const subject of subjects) {
        pair.find(subject);
        pair.findWire(subject);
        pair.findWire(subject);
      }
      if (round > 1) pair.remove(pair.live[0]);
    }
    for (let left = pair.live.length; left > 0; left--) pair.remove(pair.live[left - 1]);
    for (const subject of subjects) {
      pair.find(subject);
      pair.findWire(subject);
    }
    assert.equal(pair.router.count, 0);
    assert.deepEqual([...pair.router.all()], []);
  });

  it("do not change with what goes on in a subscription's first token only", () => {
    const router = newRouter();
    router.insert(new TestInterest(1, "foo.bar"));
    for (let i = 0; i < 2; i++) router.find("foo.bar");
    const route = router.find("foo.bar");
    for (const [id, pattern] of ["other", "other.*", "other.>", "foo.baz", "foo.bar.baz"].entries()) {
      router.insert(new TestInterest(10 + id, pattern));
      assert.equal(router.find("foo.bar"), route, `${pattern} is no matter for foo.bar`);
      assert.equal(router.findWire(wireMessage("foo.bar")), route);
    }
  });
});

describe("what a router remembers", () => {
  it("stays right for a subject with more subscribers than it may remember", () => {
    const router = newRouter();
    const message = new Message(new Slab());
    const many = Array.from({ length: 300_000 }, (_, id) => new TestInterest(id, "news"));
    for (const interest of many) router.insert(interest);
    const ask = (subject: string): number => {
      fillWire(message, subject);
      return router.findWire(message).plain.length;
    };
    for (let i = 0; i < 5; i++) {
      assert.equal(ask("news"), 300_000 - i);
      assert.equal(ask("other"), 0);
      assert.equal(ask("news"), 300_000 - i);
      router.remove(many[i]);
    }
  });

  it("stays right over more subjects than it can hold", () => {
    const pair = new Pair();
    const router = pair.router;
    const message = new Message(new Slab());
    for (const pattern of ["device.*", ">", "device.5.>", "*.7"]) pair.insert(pattern);
    const size = (subject: string): number => naive(pair.live, subject).plain.length;
    for (let round = 0; round < 2; round++) {
      const wanted = { usual: size("device.0"), seven: size("device.7") };
      for (let i = 0; i < 120_000; i++) {
        const subject = `device.${i}`;
        fillWire(message, subject);
        const expected = i === 7 ? wanted.seven : wanted.usual;
        assert.equal(router.findWire(message).plain.length, expected);
        assert.equal(router.findWire(message).plain.length, expected);
        assert.equal(router.find(subject).plain.length, expected);
        if (i % 1_000 === 0) {
          const interest = pair.insert(subject);
          assert.equal(router.findWire(message).plain.length, expected + 1);
          pair.remove(interest);
          assert.equal(router.findWire(message).plain.length, expected);
        }
      }
      pair.insert("device.>");
    }
  });

  it("does not grow with the number of subjects", () => {
    const router = newRouter();
    const message = new Message(new Slab());
    router.insert(new TestInterest(1, ">"));
    const before = liveBytes();
    for (let i = 0; i < 300_000; i++) {
      fillWire(message, `some.longer.subject.of.a.device.${i}`);
      router.findWire(message);
      router.findWire(message);
    }
    const grown = liveBytes() - before;
    assert.ok(grown < 40_000_000, `${grown} bytes are remembered of 300,000 subjects`);
    assert.equal(router.find("x").plain.length, 1);
  });

  it("does not grow with the number of subjects times that of their subscribers", () => {
    const router = newRouter();
    const message = new Message(new Slab());
    for (let i = 0; i < 1_000; i++) router.insert(new TestInterest(i, "device.>"));
    const before = liveBytes();
    for (let i = 0; i < 20_000; i++) {
      fillWire(message, `device.${i}`);
      router.findWire(message);
      assert.equal(router.findWire(message).plain.length, 1_000);
    }
    const grown = liveBytes() - before;
    assert.ok(
      grown < 20_000_000,
      `${grown} bytes are remembered of 20,000 subjects with 1,000 subscribers each`,
    );
    assert.equal(router.count, 1_000);
  });
});

/** Pairs of subjects that have one and the same hash. */
function sameHash(): [string, string][] {
  const seen = new Map<number, string>();
  const pairs: [string, string][] = [];
  for (let i = 0; i < 300_000; i++) {
    // Digits alone are too much alike to meet.
    const subject = `twin.${(Math.imul(i, 0x9e3779b1) >>> 0).toString(36)}`;
    const hash = quickHash(subject);
    const other = seen.get(hash);
    if (other === undefined) seen.set(hash, subject);
    else pairs.push([other, subject]);
  }
  for (const [a, b] of pairs) assert.equal(fnv1a(bytesOf(a)), fnv1a(bytesOf(b)));
  return pairs;
}

/** Subjects that a table of up to 256 places looks for in one place. */
function sameHome(count: number): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const subject = `crowd.${i}`;
    const hash = quickHash(subject);
    if (((hash ^ (hash >>> 15)) & 255) === 7) found.push(subject);
  }
  return found;
}

/** As `fnv1a`, for searches. */
function quickHash(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
