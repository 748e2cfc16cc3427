/** Account mappings: which mapping takes a subject, how weights share the messages, what is left over, what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AccountMappings, Mapping, type WeightedDestination } from "../../src/broker/mappings.ts";
import { TransformError } from "../../src/interest/subject-transform.ts";
import { fc } from "../support/protocol-check.ts";

const sure = (source: string, destination: string) => ({
  source,
  destinations: [{ destination, weight: 100 }],
});

/** What a subject becomes for each of the hundred draws that there are, counted. */
function shares(
  source: string,
  destinations: WeightedDestination[],
  subject = source,
): Record<string, number> {
  let draw = 0;
  const mappings = new AccountMappings([{ source, destinations }], { fraction: () => (draw + 0.5) / 100 });
  const counts: Record<string, number> = {};
  for (; draw < 100; draw++) {
    const mapped = mappings.map(subject) ?? "not mapped";
    counts[mapped] = (counts[mapped] ?? 0) + 1;
  }
  return counts;
}

describe("mappings of an account", () => {
  it("give each destination its share, and what is left over to the subject itself", () => {
    assert.deepEqual(shares("a", [{ destination: "b", weight: 100 }]), { b: 100 });
    assert.deepEqual(shares("a", [{ destination: "b", weight: 30 }]), { b: 30, a: 70 });
    assert.deepEqual(shares("a", [{ destination: "b", weight: 0 }]), { a: 100 });
    assert.deepEqual(
      shares("a", [
        { destination: "b", weight: 50 },
        { destination: "c", weight: 20 },
        { destination: "d", weight: 30 },
      ]),
      { b: 50, c: 20, d: 30 },
    );
    assert.deepEqual(shares("a.*.*", [{ destination: "b.$2", weight: 10 }], "a.x.y"), {
      "b.y": 10,
      "a.x.y": 90,
    });
    assert.deepEqual(shares("a", []), { a: 100 });
  });

  it("lose what is left over when the subject itself is listed", () => {
    assert.deepEqual(
      shares("a", [
        { destination: "a", weight: 80 },
        { destination: "b", weight: 10 },
      ]),
      { a: 80, b: 10, "": 10 },
    );
    assert.deepEqual(shares("a", [{ destination: "a", weight: 0 }]), { "": 100 });
  });

  it("check destinations of other clusters, and do not take them", () => {
    assert.deepEqual(shares("a", [{ destination: "b", weight: 100, cluster: "X" }]), { a: 100 });
    assert.deepEqual(
      shares("a", [
        { destination: "b", weight: 100, cluster: "X" },
        { destination: "c", weight: 100 },
      ]),
      { c: 100 },
    );
  });

  it("go by the first one that takes the subject", () => {
    const mappings = new AccountMappings(
      [sure("a.b", "first"), sure("a.*", "second.$1"), sure("a.>", "third.>")],
      {
        fraction: () => 0,
      },
    );
    for (const [subject, mapped] of [
      ["a.b", "first"],
      ["a.c", "second.c"],
      ["a.c.d", "third.c.d"],
      ["a", undefined],
      ["b", undefined],
      ["second.c", undefined],
      // What is published is taken as it is.
      ["a.*", "second.*"],
      ["a.>", "third.>"],
      ["a.", "third."],
      ["a..b", "third..b"],
    ])
      for (let again = 0; again < 2; again++) assert.equal(mappings.map(subject!), mapped, subject);
  });

  it("draw anew for every message", () => {
    let draw = 0;
    const fraction = (): number => draw;
    const random = new AccountMappings([sure("a.*", "b.{{random(10)}}")], { fraction });
    const weighted = new AccountMappings(
      [{ source: "a.x", destinations: [{ destination: "b", weight: 50 }] }],
      {
        fraction,
      },
    );
    assert.equal(random.map("a.x"), "b.0");
    assert.equal(weighted.map("a.x"), "b");
    draw = 0.99;
    assert.equal(random.map("a.x"), "b.9");
    assert.equal(weighted.map("a.x"), "a.x");
  });

  it("answer the same however many subjects there are", () => {
    const mappings = new AccountMappings([sure("a.*", "b.$1")], { fraction: () => 0 });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5_000; i++) {
        assert.equal(mappings.map(`a.${i}`), `b.${i}`);
        assert.equal(mappings.map(`c.${i}`), undefined);
      }
    }
  });

  it("share in proportion, whatever the weights", () => {
    const weights = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.boolean(), (list, listed) => {
        if (list.reduce((sum, weight) => sum + weight, 0) > 100) return;
        const destinations = list.map((weight, i) => ({ destination: `to${i}`, weight }));
        if (listed) destinations.push({ destination: "a", weight: 0 });
        const counts = shares("a", destinations);
        for (const { destination, weight } of destinations) {
          if (destination !== "a") assert.equal(counts[destination] ?? 0, weight);
        }
        const rest = 100 - list.reduce((sum, weight) => sum + weight, 0);
        assert.equal(counts[listed ? "" : "a"] ?? 0, rest);
      }),
      { numRuns: 300 },
    );
  });

  it("are refused when they cannot be", () => {
    for (const [source, destinations, says] of [
      ["a..b", [], "invalid subject"],
      ["a b", [], "invalid subject"],
      [
        "a",
        [
          ["b", 50],
          ["b", 50],
        ],
        'duplicate entry for "b"',
      ],
      ["a", [["b", 101]], "individual weights need to be <= 100"],
      [
        "a",
        [
          ["b", 60],
          ["c", 60],
        ],
        "total weight needs to be <= 100",
      ],
      ["a.*", [["a.*", 60]], "invalid subject"],
      ["a.*", [["b.{{lift(1,1)}}", 60]], "invalid mapping destination: unknown function in {{lift(1,1)}}"],
      ["a", [["", 100]], "invalid mapping destination: invalid transform"],
    ] as [string, [string, number][], string][]) {
      const rule = {
        source,
        destinations: destinations.map(([destination, weight]) => ({ destination, weight })),
      };
      assert.throws(() => new Mapping(rule, { fraction: () => 0 }), new TransformError(says), says);
    }
  });
});
