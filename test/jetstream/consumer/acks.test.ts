import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AckSubjects, parseAckSubject } from "../../../src/jetstream/consumer/acks.ts";
import { decodeText } from "../../../src/protocol/text.ts";

const number = fc.oneof(fc.nat(200), fc.nat(), fc.maxSafeNat());
/** In ms since the epoch, from 2001 to 2036. */
const time = fc.integer({ min: 1_000_000_000_000, max: 2_100_000_000_000 });

test("the reply subject of a delivery is the same as bytes and as a text, and says what it was made of", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("S", "STRÖM"),
      fc.tuple(number, number, number, number),
      time,
      fc.integer({ min: 0, max: 999 }),
      (stream, [seq, consumerSeq, deliveries, pending], ms, micros) => {
        const subjects = new AckSubjects(stream, "C", { domain: "", accountHash: "h" });
        const reply = subjects.replyTo(seq, consumerSeq, deliveries, ms + micros / 1_000, pending);
        const bytes = new Uint8Array(300);
        const end = reply.write(bytes, 5);
        assert.equal(end - 5, reply.length);
        assert.equal(decodeText(bytes, 5, end), reply.text);
        const nanos = BigInt(ms) * 1_000_000n + BigInt(micros) * 1_000n;
        const said = { deliveries, streamSeq: seq, consumerSeq, time: nanos, pending };
        assert.deepEqual(parseAckSubject(reply.text), said);
        assert.equal(subjects.reply(said), reply.text);
      },
    ),
  );
});
