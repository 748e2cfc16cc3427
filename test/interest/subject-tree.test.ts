/** The subject tree finds who has subscribed to a subject: the same as looking at every subscription, token by token. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SubjectTree } from "../../src/interest/subject-tree.ts";
import { AssertionError } from "../../src/protocol/assert.ts";
import { fc } from "../support/protocol-check.ts";
import {
  answer,
  matchesPattern,
  naive,
  pattern,
  published,
  queue,
  TestInterest,
} from "../support/protocol-interest.ts";
import { liveBytes } from "../support/protocol-memory.ts";

describe("one subscription", () => {
  for (const [pattern, subject, matches] of [
    ["foo", "foo", true],
    ["foo", "Foo", false],
    ["foo", "foo.bar", false],
    ["foo.bar", "foo", false],
    ["foo.bar", "foo.bar", true],
    ["*", "foo", true],
    ["*", "foo.bar", false],
    [">", "foo", true],
    [">", "foo.bar.baz", true],
    ["foo.*", "foo", false],
    ["foo.*", "foo.bar", true],
    ["foo.*", "foo.bar.baz", false],
    ["foo.>", "foo", false],
    ["foo.>", "foo.bar", true],
    ["foo.>", "foo.bar.baz", true],
    ["foo.>", "fooo.bar", false],
    ["*.bar", "foo.bar", true],
    ["*.bar", "bar", false],
    ["*.>", "foo", false],
    ["*.>", "foo.bar", true],
    ["foo.*.baz", "foo.bar.baz", true],
    ["foo.*.baz", "foo.bar.bar.baz", false],
    ["*.*.*", "a.b.c", true],
    ["*.*.*", "a.b", false],
    // A wildcard is one only when it is the whole token.
    ["foo*", "foo*", true],
    ["foo*", "fooo", false],
    ["f*.bar", "fo.bar", false],
    [">>", ">>", true],
    [">>", "foo", false],
    // The subject of a message is literal, whatever it holds.
    ["*", "*", true],
    ["*", ">", true],
    [">", "*", true],
    [">", ">", true],
    ["foo", "*", false],
    ["foo", ">", false],
    ["foo.bar", "foo.*", false],
    ["foo.*", "foo.>", true],
    ["foo.bar.baz", "foo.>", false],
    // One with an empty token goes to nobody.
    [">", "", false],
    [">", ".", false],
    [">", ".foo", false],
    [">", "foo.", false],
    [">", "foo..bar", false],
    ["*", "", false],
    ["*.*", "foo.", false],
    ["foo.*", "foo.", false],
    ["foo.>", "foo.", false],
    ["foo.>", "foo..", false],
    ["é.*", "é.日本", true],
    ["a\udcff", "a\udcff", true],
    ["a\udcff", "a\udcfe", false],
    ["constructor.__proto__", "constructor.__proto__", true],
    ["foo", "__proto__", false],
  ] as const) {
    it(`to ${JSON.stringify(pattern)} ${matches ? "gets" : "does not get"} ${JSON.stringify(subject)}`, () => {
      for (const queue of [undefined, "q"]) {
        const tree = new SubjectTree<TestInterest>();
        tree.insert(new TestInterest(1, pattern, queue));
        const { plain, groups } = answer(tree.match(subject));
        const got = queue === undefined ? plain : (groups.q ?? []);
        assert.deepEqual(got, matches ? [1] : []);
        assert.equal(plain.length + Object.keys(groups).length, matches ? 1 : 0);
        assert.equal(matchesPattern(pattern, subject), matches, "the plain way agrees");
      }
    });
  }
});

describe("queue groups", () => {
  it("are one for all subjects that have their name, and apart from plain subscriptions", () => {
    const tree = new SubjectTree<TestInterest>();
    for (const [id, pattern, queue] of [
      [1, "foo.*", "a"],
      [2, "foo.>", "a"],
      [3, "foo.bar", "a"],
      [4, "foo.bar", "b"],
      [5, "foo.bar", undefined],
      [6, ">", "b"],
      [7, "other", "a"],
    ] as const) {
      tree.insert(new TestInterest(id, pattern, queue));
    }
    assert.deepEqual(answer(tree.match("foo.bar")), { plain: [5], groups: { a: [1, 2, 3], b: [4, 6] } });
    assert.deepEqual(answer(tree.match("foo.x")), { plain: [], groups: { a: [1, 2], b: [6] } });
    assert.deepEqual(answer(tree.match("other")), { plain: [], groups: { a: [7], b: [6] } });
    assert.deepEqual(answer(tree.match("x")), { plain: [], groups: { b: [6] } });
  });

  it("may have any name", () => {
    for (const name of ["", "*", ">", "__proto__", "constructor", "é"]) {
      const tree = new SubjectTree<TestInterest>();
      const interest = new TestInterest(1, "foo", name);
      tree.insert(interest);
      assert.deepEqual(tree.match("foo").groups, [[interest]]);
      tree.remove(interest);
      assert.deepEqual(tree.match("foo").groups, []);
    }
  });
});

describe("many subscriptions", () => {
  type Step = { insert: [pattern: string, queue: string | undefined] } | { remove: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(pattern, queue).map((insert) => ({ insert })) },
    { weight: 2, arbitrary: fc.nat().map((remove) => ({ remove })) },
  );

  it("are found as by looking at every one", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.array(published, { minLength: 10, maxLength: 20 }),
        (steps, subjects) => {
          const tree = new SubjectTree<TestInterest>();
          const live: TestInterest[] = [];
          const check = (): void => {
            assert.equal(tree.count, live.length);
            for (const subject of subjects) {
              assert.deepEqual(answer(tree.match(subject)), naive(live, subject), subject);
            }
            const ids = Array.from(tree.all(), ({ id }) => id).sort((a, b) => a - b);
            assert.deepEqual(
              ids,
              live.map(({ id }) => id).sort((a, b) => a - b),
            );
          };
          for (const [id, step] of steps.entries()) {
            if ("insert" in step) {
              const interest = new TestInterest(id, ...step.insert);
              tree.insert(interest);
              live.push(interest);
            } else if (live.length > 0) {
              tree.remove(live.splice(step.remove % live.length, 1)[0]);
            }
            if (id % 8 === 0) check();
          }
          check();
          while (live.length > 0) tree.remove(live.splice(live.length >> 1, 1)[0]);
          check();
          assert.deepEqual([...tree.all()], []);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of one subject come and go without a search", () => {
    const tree = new SubjectTree<TestInterest>();
    const all = Array.from(
      { length: 50_000 },
      (_, id) => new TestInterest(id, "foo", id % 2 === 0 ? "q" : undefined),
    );
    for (const interest of all) tree.insert(interest);
    assert.equal(tree.match("foo").plain.length, 25_000);
    for (let i = 0; i < all.length; i += 2) tree.remove(all[i]);
    for (let i = 1; i < all.length; i += 2) tree.remove(all[i]);
    assert.equal(tree.count, 0);
    assert.deepEqual(tree.match("foo"), { plain: [], groups: [], whateverLast: true });
  });

  it("give an answer that is the asker's own", () => {
    const tree = new SubjectTree<TestInterest>();
    const [first, second] = [new TestInterest(1, "foo", "q"), new TestInterest(2, "foo")];
    tree.insert(first);
    tree.insert(second);
    const before = tree.match("foo");
    tree.remove(first);
    tree.remove(second);
    tree.insert(new TestInterest(3, "foo", "q"));
    assert.deepEqual(answer(before), { plain: [2], groups: { q: [1] } });
  });

  it("leave nothing behind when they are gone", () => {
    const tree = new SubjectTree<TestInterest>();
    let next = 0;
    const round = (): void => {
      const all = Array.from({ length: 50_000 }, () => {
        const id = next++;
        const pattern = ["device", String(id), id % 3 === 0 ? "*" : "status", id % 5 === 0 ? ">" : "x"].join(
          ".",
        );
        return new TestInterest(id, pattern, id % 7 === 0 ? "q" : undefined);
      });
      for (const interest of all) tree.insert(interest);
      for (const interest of all) tree.remove(interest);
    };
    round();
    const before = liveBytes();
    round();
    const grown = liveBytes() - before;
    assert.ok(grown < 2_000_000, `${grown} bytes more after a round of subscriptions`);
    assert.equal(tree.count, 0);
  });
});

describe("what cannot be", () => {
  it("is loud", () => {
    const tree = new SubjectTree<TestInterest>();
    const interest = new TestInterest(1, "foo.bar");
    assert.throws(() => tree.remove(interest), AssertionError);
    tree.insert(interest);
    assert.throws(() => tree.remove(new TestInterest(2, "foo.bar")), AssertionError);
    assert.throws(() => tree.remove(new TestInterest(2, "foo.bar", "q")), AssertionError);
    assert.throws(() => tree.remove(new TestInterest(2, "foo")), AssertionError);
    tree.remove(interest);
    assert.throws(() => tree.remove(interest), AssertionError);
  });
});
