/** Text of the wire turns into strings and back without loss, whatever the bytes; payloads read as every client reads them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodePayload,
  decodeText,
  encodePayload,
  encodePayloadInto,
  encodeText,
  isAscii,
  sameAscii,
  writeText,
} from "../../src/protocol/text.ts";
import { bytesOf, concat, latin1 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";

/** Bytes in which UTF-8 sequences, whole ones and broken ones, are frequent. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc
    .array(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 5 }).map((text) => new TextEncoder().encode(text)),
        fc
          .array(
            fc.constantFrom(
              0x7f,
              0x80,
              0x8f,
              0x90,
              0x9f,
              0xa0,
              0xbf,
              0xc0,
              0xc2,
              0xe0,
              0xe2,
              0xed,
              0xef,
              0xf0,
              0xf4,
              0xf5,
              0xff,
            ),
            {
              maxLength: 4,
            },
          )
          .map((codes) => Uint8Array.from(codes)),
      ),
      { maxLength: 20 },
    )
    .map(concat),
);

/** A string with no lone surrogates. */
const wellFormed = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc.string({ unit: "binary-ascii", maxLength: 100 }),
);

const any = (bytes: Uint8Array): string => decodeText(bytes, 0, bytes.length);

describe("decodeText, encodeText", () => {
  it("give the same bytes back, whatever they are", () => {
    fc.assert(
      fc.property(bytes, fc.nat(5), fc.nat(5), (bytes, before, after) => {
        const around = concat([new Uint8Array(before).fill(0xe2), bytes, new Uint8Array(after).fill(0x82)]);
        const text = decodeText(around, before, before + bytes.length);
        assert.deepEqual(encodeText(text), bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it("give different texts for different bytes", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.equal(any(a) === any(b), latin1(a) === latin1(b));
      }),
      { numRuns: 1_000 },
    );
  });

  it("give the same text back when it is well-formed", () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        const encoded = encodeText(text);
        assert.deepEqual(encoded, new TextEncoder().encode(text));
        assert.equal(any(encoded), text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("write every byte that is not UTF-8 as a lone surrogate of its own", () => {
    for (const [bytes, text] of [
      ["", ""],
      ["foo", "foo"],
      ["\xc3\xa9", "é"],
      ["\xef\xbb\xbffoo", "\ufefffoo"],
      ["\xef\xbf\xbd", "\ufffd"],
      ["\x80", "\udc80"],
      ["a\xffb", "a\udcffb"],
      ["\xe6\x97", "\udce6\udc97"],
      ["\xe6\x97\xa5\xe6", "日\udce6"],
      // Too long a spelling, a surrogate, and beyond the last character.
      ["\xc0\xaf", "\udcc0\udcaf"],
      ["\xe0\x80\x80", "\udce0\udc80\udc80"],
      ["\xed\xa0\x80", "\udced\udca0\udc80"],
      ["\xf4\x90\x80\x80", "\udcf4\udc90\udc80\udc80"],
      ["\xf0\x9f\x98\x80\xff", "😀\udcff"],
    ]) {
      assert.equal(any(bytesOf(bytes)), text);
      assert.equal(latin1(encodeText(text)), bytes);
    }
  });

  it("handle every length around the one from which the platform decodes", () => {
    for (let length = 40; length < 60; length++) {
      for (const last of ["x", "\xff", "\xc3\xa9"]) {
        const text = "a".repeat(length) + last;
        assert.equal(latin1(encodeText(any(bytesOf(text)))), text);
      }
    }
  });

  it("handle every pair of bytes", () => {
    const pair = new Uint8Array(2);
    for (let code = 0; code < 65_536; code++) {
      pair[0] = code >> 8;
      pair[1] = code & 255;
      const back = encodeText(decodeText(pair, 0, 2));
      assert.ok(back.length === 2 && back[0] === pair[0] && back[1] === pair[1], `${pair}`);
    }
  });
});

describe("writeText", () => {
  it("writes what encodeText gives, in its place", () => {
    fc.assert(
      fc.property(bytes, fc.nat(5), (bytes, at) => {
        const text = any(bytes);
        const target = new Uint8Array(at + text.length * 3).fill(7);
        const end = writeText(text, target, at);
        assert.equal(end, at + bytes.length);
        assert.deepEqual(target.subarray(at, end), bytes);
        assert.ok(target.subarray(0, at).every((byte) => byte === 7));
        assert.ok(target.subarray(end).every((byte) => byte === 7));
      }),
      { numRuns: 500 },
    );
  });
});

describe("sameAscii, isAscii", () => {
  it("say whether text and bytes are the same ASCII", () => {
    const short = fc.string({ unit: fc.constantFrom("a", "b", "\x7f", "\0", "é", "\xff"), maxLength: 4 });
    fc.assert(
      fc.property(short, short, fc.nat(3), (text, other, at) => {
        const bytes = bytesOf(`${"a".repeat(at)}${other}b`);
        const ascii = [...text].every((char) => char.charCodeAt(0) < 128);
        assert.equal(sameAscii(text, bytes, at, at + other.length), text === other && ascii);
        assert.equal(isAscii(text), ascii);
      }),
      { numRuns: 1_000 },
    );
    assert.equal(sameAscii("é", encodeText("é"), 0, 2), false);
    assert.equal(sameAscii("", encodeText("é"), 1, 1), true);
  });
});

describe("payloads", () => {
  it("are read as TextDecoder reads them, with what it calls a byte order mark", () => {
    const decoder = new TextDecoder();
    fc.assert(
      fc.property(bytes, fc.nat(5), (bytes, at) => {
        const around = concat([new Uint8Array(at).fill(0xe2), bytes, Uint8Array.of(0x82)]);
        assert.equal(decodePayload(around, at, at + bytes.length), decoder.decode(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are written as TextEncoder writes them", () => {
    const text = fc.oneof(
      wellFormed,
      fc.string({ unit: fc.constantFrom("a", "\ud83d", "\ude00", "\udc80"), maxLength: 9 }),
    );
    fc.assert(
      fc.property(text, fc.nat(5), (text, at) => {
        const expected = new TextEncoder().encode(text);
        assert.deepEqual(encodePayload(text), expected);
        const target = new Uint8Array(at + text.length * 3);
        assert.equal(encodePayloadInto(text, target, at), expected.length);
        assert.deepEqual(target.subarray(at, at + expected.length), expected);
      }),
      { numRuns: 300 },
    );
  });
});
