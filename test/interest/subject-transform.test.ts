/** Transforms of subjects: what each function makes of a subject, which destinations are refused and how, and that reversing undoes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkDestination,
  isSubsetOf,
  SubjectTransform,
  TransformError,
} from "../../src/interest/subject-transform.ts";
import { fc } from "../support/protocol-check.ts";

const HALF = () => 0.5;
const make = (source: string, destination: string, strict = false): SubjectTransform =>
  new SubjectTransform(source, destination, { strict, fraction: HALF });

describe("a transform", () => {
  for (const [source, destination, subject, result] of [
    ["foo", "bar", "foo", "bar"],
    ["", "prefix.>", "foo", "prefix.foo"],
    [">", ">", "foo.bar", "foo.bar"],
    ["foo.*.bar.*.baz", "req.$2.$1", "foo.A.bar.B.baz", "req.B.A"],
    ["foo.*.bar.*.baz", "req.{{wildcard(2)}}.{{ Wildcard( 1 ) }}", "foo.A.bar.B.baz", "req.B.A"],
    ["baz.>", "my.pre.>", "baz.1.2.3", "my.pre.1.2.3"],
    ["a.b.>", ">", "a.b.c.d", "c.d"],
    ["*.x.>", "$1.>", "a.x.c.d", "a.c.d"],
    ["*", "foo.bar.$1", "foo", "foo.bar.foo"],
    ["foo.*.*", "bar.$2", "foo.a.b", "bar.b"],
    ["foo.*", "$x.$1.x$1", "foo.a", "$x.a.x$1"],
    ["*", "{{splitfromleft(1,3)}}", "12345", "123.45"],
    ["*", "{{splitFromLeft(1,5)}}", "12345", "12345"],
    ["*", "{{splitFromLeft(1,0)}}", "12345", "12345"],
    ["*", "{{splitFromLeft(1,-1)}}", "12345", "12345"],
    ["*", "{{SplitFromRight(1,3)}}", "12345", "12.345"],
    ["*", "{{SliceFromLeft(1,3)}}", "1234567890", "123.456.789.0"],
    ["*", "{{SliceFromLeft(1,3)}}", "123456789", "123.456.789"],
    ["*", "{{SliceFromRight(1,3)}}", "1234567890", "1.234.567.890"],
    ["*", "{{SliceFromRight(1,3)}}", "123456789", "123.456.789"],
    ["*", "{{split(1,-)}}", "-abc-def--ghi-", "abc.def.ghi"],
    ["*", "{{split(1,-)}}", "--abc", "abc"],
    ["*", "{{split(1,)}}", "日é", "日.é"],
    ["*.*", "{{split(2,-)}}.{{splitfromleft(1,2)}}", "foo.-abc-def--ghij-", "abc.def.ghij.fo.o"],
    ["*", "{{right(1,1)}}", "1234", "4"],
    ["*", "{{right(1,6)}}", "1234", "1234"],
    ["*", "{{left(1,3)}}", "1234", "123"],
    ["*", "{{left(1,6)}}", "1234", "1234"],
    ["*", "bar.{{partition(0)}}", "baz", "bar.0"],
    ["*", "bar.{{partition(10, 0)}}", "foo", "bar.3"],
    ["*.*", "bar.{{partition(10)}}", "foo.bar", "bar.6"],
    ["*", "bar.{{partition(10)}}", "qux", "bar.9"],
    ["foo.bar", "baz.{{partition(10)}}", "foo.bar", "baz.6"],
    ["foo.baz", "qux.{{partition(10)}}", "foo.baz", "qux.4"],
    ["test.subject", "result.{{partition(5)}}", "test.subject", "result.0"],
    ["*", "bar.{{random(0)}}", "qux", "bar.0"],
    ["*", "bar.{{random(6)}}", "qux", "bar.3"],
    ["foo", "bar.{{random(-6)}}", "foo", "bar.3"],
    // Without a wildcard of that number it is the first token.
    ["foo.*", "bar.$0", "foo.x", "bar.foo"],
  ] as const) {
    it(`${source} to ${destination}: ${subject} becomes ${result}`, () => {
      assert.equal(make(source, destination).match(subject), result);
    });
  }

  it("cuts bytes, not characters", () => {
    assert.equal(make("*", "{{splitFromLeft(1,3)}}").transform("日本"), "日.本");
    assert.equal(make("*", "{{left(1,2)}}").transform("éa"), "é");
    assert.equal(make("*", "{{left(1,1)}}").transform("é"), "\udcc3");
  });

  it("is for literal subjects that match its source", () => {
    const transform = make("foo.*", "bar.$1");
    for (const subject of ["foo", "foo.a.b", "bar.a", "foo.*", "foo.>", "foo.", "", "foo..a"])
      assert.equal(transform.match(subject), undefined, subject);
  });

  it("writes nothing for a token that the subject does not have", () => {
    assert.equal(make("foo.*", "one.two.{{wildcard(1)}}").transform("foo"), "one.two.");
    assert.equal(make("foo.>", "one.>").transform("foo"), "one.");
  });

  it("knows whether a subject always becomes the same", () => {
    assert.equal(make("*", "a.{{partition(3,1)}}").deterministic, true);
    assert.equal(make("*", "a.{{random(3)}}").deterministic, false);
  });
});

const WHY = "invalid mapping destination: ";

describe("a transform is refused", () => {
  for (const [source, destination, says] of [
    ["foo..", "bar", "invalid subject"],
    ["foo", "", "invalid subject"],
    ["foo.*", "bar.*", "invalid subject"],
    ["foo.*", "bar.$1.>", "invalid subject"],
    ["foo.>", "bar.baz", "invalid subject"],
    ["foo.*", "bar.$2", `${WHY}wildcard index out of range in $2: [2]`],
    ["foo.*", "foo.{{wildcard(2)}}", `${WHY}wildcard index out of range in {{wildcard(2)}}: [2]`],
    ["foo", "bla.{{wildcard(1)}}", `${WHY}wildcard index out of range in {{wildcard(1)}}`],
    ["foo", "bla.$1", `${WHY}wildcard index out of range in $1`],
    ["foo.*", "foo.{{unimplemented(1)}}", `${WHY}unknown function in {{unimplemented(1)}}`],
    ["foo.*", "foo.{{ wildcard5) }}", `${WHY}unknown function in {{ wildcard5) }}`],
    ["foo.*", "foo.{{WILDCARD(1)}}", `${WHY}unknown function in {{WILDCARD(1)}}`],
    ["foo.*", "foo.{{splitLeft(2,2}}", `${WHY}unknown function in {{splitLeft(2,2}}`],
    [
      "foo.*",
      "foo.{{partition()}}",
      `${WHY}function argument is invalid or in the wrong format in {{partition()}}`,
    ],
    [
      "foo.*",
      "foo.{{random()}}",
      `${WHY}function argument is invalid or in the wrong format in {{random()}}`,
    ],
    ["foo.*", "foo.{{random(1,2)}}", `${WHY}not enough arguments passed to the function in {{random(1,2)}}`],
    [
      "foo.*",
      "foo.{{wildcard(foo)}}",
      `${WHY}function argument is invalid or in the wrong format in {{wildcard(foo)}}`,
    ],
    ["foo.*", "foo.{{wildcard()}}", `${WHY}not enough arguments passed to the function in {{wildcard()}}`],
    [
      "foo.*",
      "foo.{{wildcard(1,2)}}",
      `${WHY}too many arguments passed to the function in {{wildcard(1,2)}}`,
    ],
    ["foo.*", "foo.{{split(1)}}", `${WHY}not enough arguments passed to the function in {{split(1)}}`],
    ["foo.*", "foo.{{split(1,a,b)}}", `${WHY}too many arguments passed to the function in {{split(1,a,b)}}`],
    [
      "foo.*",
      "foo.{{split(1,a b)}}",
      `${WHY}function argument is invalid or in the wrong format in {{split(1,a b)}}`,
    ],
    [
      "foo.*",
      "foo.{{left(1,2147483648)}}",
      `${WHY}function argument is invalid or in the wrong format in {{left(1,2147483648)}}`,
    ],
    [
      "foo.*",
      "foo.{{random(2147483648)}}",
      `${WHY}function argument is invalid or in the wrong format in {{random(2147483648)}}`,
    ],
    [
      "foo.*",
      "foo.{{partition(2147483648)}}",
      `${WHY}function argument is invalid or in the wrong format in {{partition(2147483648)}}`,
    ],
  ] as const) {
    it(`${source} to ${destination}`, () => {
      assert.throws(() => make(source, destination), new TransformError(says));
    });
  }

  it("for imports, unless it only places all wildcards", () => {
    assert.throws(
      () => make("foo.*.*", "bar.$2", true),
      new TransformError(`${WHY}not using all of the token wildcard(s) in bar.$2`),
    );
    assert.throws(() => make("foo.*", "foo.$foo", true), /not using all/);
    assert.throws(
      () => make("foo.*", "bar.{{Partition(2,1)}}", true),
      new TransformError(
        `${WHY}the only mapping function allowed for import transforms is {{Wildcard()}} in {{Partition(2,1)}}`,
      ),
    );
    assert.equal(make("foo.*", "bar.{{Wildcard(1)}}", true).transform("foo.x"), "bar.x");
  });

  it("by the stricter rules of mappings", () => {
    for (const [destination, says] of [
      ["a..b", `${WHY}invalid transform`],
      ["", `${WHY}invalid transform`],
      ["a.>.b", `${WHY}invalid transform in b`],
      ["a b", `${WHY}invalid transform`],
      ["a.{{nothing}}", `${WHY}unknown function in {{nothing}}`],
    ])
      assert.throws(() => checkDestination(destination), new TransformError(says), destination);
    for (const destination of [
      "a",
      "a.>",
      ">",
      "a.{{partition(10, 1)}}.{{splitFromLeft(1,1)}}",
      "a.$1",
      "a.{{}}",
    ])
      checkDestination(destination);
  });
});

describe("transforms, whatever the subject", () => {
  const token = fc.string({ unit: fc.constantFrom("a", "b", "-", "é", "日"), minLength: 1, maxLength: 8 });
  const tokens = fc.array(token, { minLength: 1, maxLength: 5 });

  it("are undone by their reverse, for every order of the wildcards", () => {
    const shuffled = tokens.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list.keys()], { minLength: list.length }),
        fc.boolean(),
      ),
    );
    fc.assert(
      fc.property(shuffled, tokens, ([list, order, full], rest) => {
        const tail = full ? ".>" : "";
        const source = `in.${list.map(() => "*").join(".x.")}${tail}`;
        const destination = `out.${order.map((i, k) => (k % 2 === 0 ? `$${i + 1}` : `{{wildcard(${i + 1})}}`)).join(".")}${tail}`;
        const transform = make(source, destination, true);
        const subject = `in.${list.join(".x.")}${full ? `.${rest.join(".")}` : ""}`;
        const mapped = transform.match(subject);
        assert.match(mapped ?? "", /^out\./);
        assert.equal(transform.reverse()?.match(mapped ?? ""), subject);
      }),
    );
  });

  it("have no reverse when something is lost", () => {
    for (const destination of ["a.$1", "a.$1.$1", "a.$1.$2.$2", "a.$1.$2.{{random(2)}}"])
      assert.equal(make("foo.*.*", destination).reverse(), undefined);
  });

  it("lose nothing by cutting", () => {
    fc.assert(
      fc.property(token, fc.integer({ min: -2, max: 30 }), (text, size) => {
        for (const name of ["splitFromLeft", "splitFromRight", "sliceFromLeft", "sliceFromRight"]) {
          const cut = make("*", `{{${name}(1,${size})}}`).transform(text);
          const bytes = Buffer.from(text);
          assert.equal(cut.replaceAll(".", "").length >= text.length, true);
          const lengths = cut.split(".").map((part) => bytesOf(part));
          assert.equal(
            lengths.reduce((sum, length) => sum + length, 0),
            bytes.length,
          );
          if (size <= 0 || size >= bytes.length) assert.equal(cut, text);
          else if (name.startsWith("split")) assert.equal(lengths[name === "splitFromLeft" ? 0 : 1], size);
          else {
            const whole = name === "sliceFromLeft" ? lengths.slice(0, -1) : lengths.slice(1);
            assert.ok(whole.every((length) => length === size) && lengths.every((length) => length <= size));
          }
        }
      }),
    );
  });

  it("put a key into the same one of n partitions", () => {
    fc.assert(
      fc.property(tokens, fc.integer({ min: 1, max: 100 }), (list, count) => {
        const subject = list.join(".");
        const source = list.map(() => "*").join(".");
        const whole = make(source, `{{partition(${count})}}`).transform(subject);
        assert.equal(Number(whole), fnv(Buffer.from(subject)) % count);
        const parts = make(source, `{{partition(${count},${list.map((_, i) => i + 1).join(",")})}}`);
        assert.equal(Number(parts.transform(subject)), fnv(Buffer.from(list.join(""))) % count);
      }),
    );
  });

  it("match what the same source would be subscribed for", () => {
    const literal = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 4 });
    const source = fc.array(fc.constantFrom("a", "b", "*", ">"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(literal, source, (subject, wanted) => {
        if (wanted.slice(0, -1).includes(">")) return;
        const pattern = new RegExp(
          `^${wanted.map((each) => (each === "*" ? "[^.]+" : each === ">" ? ".+" : each)).join("\\.")}$`,
        );
        assert.equal(isSubsetOf(subject, wanted), pattern.test(subject.join(".")));
      }),
    );
  });
});

/** The bytes of a text whose lone surrogates stand for one byte each. */
function bytesOf(text: string): number {
  let count = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    count += code >= 0xdc80 && code <= 0xdcff ? 1 : Buffer.byteLength(character);
  }
  return count;
}

/** FNV-1a of 32 bits, by its definition. */
function fnv(bytes: Uint8Array): number {
  let hash = 2_166_136_261n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 16_777_619n) % 2n ** 32n;
  return Number(hash);
}
