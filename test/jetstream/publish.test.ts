import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { apiError } from "../../src/jetstream/errors.ts";
import { PubAckWriter } from "../../src/jetstream/publish/ack.ts";
import { countUp, originOf } from "../../src/jetstream/publish/counter.ts";
import { flowAck, flowError, flowGap, parseFastBatch } from "../../src/jetstream/publish/fast-batch.ts";
import {
  HEADERS,
  readHeaders,
  replacingHeader,
  withHeader,
  withoutHeaders,
} from "../../src/jetstream/publish/headers.ts";
import { scheduledMessage } from "../../src/jetstream/publish/scheduled.ts";
import { TimeZones } from "../../src/jetstream/publish/time-zone.ts";
import { encodeText } from "../../src/protocol/text.ts";

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test("headers are read: the first of a name, in its own spelling, without spaces before the value", () => {
  const block = encodeText(
    "NATS/1.0\r\nA: Nats-TTL: 1\r\nnats-ttl: 2\r\nNats-TTL:   3 \r\nNats-TTL: 4\r\nNats-TTLx: 5\r\nNats-Rollup:\r\nNats-Bogus: 6\r\n\r\n",
  );
  assert.deepEqual(
    [...readHeaders(block)],
    [
      ["Nats-TTL", "3 "],
      ["Nats-Rollup", ""],
    ],
  );
  assert.equal(readHeaders(undefined).size, 0);
});

test("any bytes are a header block, cut anywhere", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("Nats-TTL", ":", " ", "\r", "\n", "\r\n", "NATS/1.0", "x")),
      (parts) => {
        const block = encodeText(parts.join(""));
        readHeaders(block);
        withoutHeaders(block, (name) => name === HEADERS.ttl);
        withHeader(block, "A", "b");
        replacingHeader(block, HEADERS.ttl, "1");
      },
    ),
  );
});

test("a header is put in, changed, taken out", () => {
  const one = withHeader(undefined, "A", " b\r\nc ");
  assert.equal(text(one), "NATS/1.0\r\nA: b  c\r\n\r\n");
  const two = withHeader(one, "Nats-TTL", "5");
  assert.equal(text(replacingHeader(two, "A", "longer")), "NATS/1.0\r\nA: longer\r\nNats-TTL: 5\r\n\r\n");
  assert.equal(text(withoutHeaders(two, (name) => name === "A")), "NATS/1.0\r\nNats-TTL: 5\r\n\r\n");
  assert.equal(
    withoutHeaders(one, (name) => name === "A"),
    undefined,
  );
  assert.equal(
    withoutHeaders(two, (name) => name === "B"),
    two,
  );
});

test("counters of other streams: the count grows by what theirs has grown", () => {
  const body = (value: string): Uint8Array => encodeText(`{"val":"${value}"}`);
  const origin = (value: string) => originOf("T 7 > > t.count", "s.count", body(value));
  const first = countUp(1n, undefined, origin("10"));
  assert.equal(first?.value, "10");
  assert.equal(first?.incr, "10");
  assert.equal(first?.sources, '{"T":{"t.count":"10"}}');
  const second = countUp(1n, { payload: body("12"), sources: first?.sources ?? "" }, origin("15"));
  assert.equal(second?.value, "17");
  assert.equal(second?.incr, "5");
  assert.equal(countUp(1n, { payload: encodeText("x"), sources: "" }, undefined), undefined);
  assert.equal(countUp(1n, { payload: body("1"), sources: "[]" }, undefined), undefined);
});

test("fast ingest: reply subjects", () => {
  const cases: [reply: string, read: unknown][] = [
    ["_INBOX.x", undefined],
    [".$FI", undefined],
    ["_INBOX.x.id.10.fail.1.0.$FI", { id: "id", seq: 1n, operation: "start", flow: 10, gapOk: false }],
    ["_INBOX.x.id.0.ok.7.1.$FI", { id: "id", seq: 7n, operation: "append", flow: 10, gapOk: true }],
    ["_INBOX.x.id.99999.ok.1.2.$FI", { id: "id", seq: 1n, operation: "commit", flow: 65535, gapOk: true }],
    ["_INBOX.x.id.y.ok.2.3.$FI", { id: "id", seq: 2n, operation: "commit-eob", flow: 10, gapOk: true }],
    ["_INBOX.x.id.5.ok.2.4.$FI", { id: "id", seq: 2n, operation: "ping", flow: 5, gapOk: true }],
    ["_INBOX.x.id.5.ok.2.5.$FI", "invalid"],
    ["_INBOX.x.id.5.ok.2.0.$FI", "invalid"],
    ["_INBOX.x.id.5.ok.1.1.$FI", "invalid"],
    ["_INBOX.x.id.5.ok.1.3.$FI", "invalid"],
    ["_INBOX.x.id.5.no.1.0.$FI", "invalid"],
    ["_INBOX.x.id.5.ok.0.1.$FI", "invalid"],
    ["_INBOX.x.id.5.ok.18446744073709551615.1.$FI", "invalid"],
    ["id.5.ok.2.1.$FI", "invalid"],
    ["a.b.$FI", "invalid"],
  ];
  for (const [reply, read] of cases) assert.deepEqual(parseFastBatch(reply), read, reply);
  assert.equal(text(flowAck(5n, 10)), '{"type":"ack","seq":5,"msgs":10}');
  assert.equal(text(flowGap(3n, 5n)), '{"type":"gap","last_seq":3,"seq":5}');
  assert.equal(
    text(flowError(3n, apiError(10003))),
    '{"type":"err","seq":3,"error":{"code":400,"err_code":10003,"description":"bad request"}}',
  );
});

test("acknowledgements", () => {
  const ours = new PubAckWriter("S", "hub");
  assert.equal(text(ours.stored(5)), '{"stream":"S","domain":"hub","seq":5}');
  assert.equal(
    text(ours.stored(5, { duplicate: true })),
    '{"stream":"S","domain":"hub","seq":5,"duplicate": true}',
  );
  assert.equal(
    text(ours.stored(5, { batch: { id: "b", count: 2 } })),
    '{"stream":"S","domain":"hub","seq":5,"batch":"b","count":2}',
  );
});

test("what a schedule makes: its content or its source's, without what belongs to the schedule", () => {
  const zones = new TimeZones();
  const now = Date.UTC(2026, 0, 1);
  const make = (headers: string, source?: { headers: Uint8Array | undefined; payload: Uint8Array }) =>
    scheduledMessage(
      {
        subject: "s.schedule",
        headers: encodeText(`NATS/1.0\r\n${headers}\r\n`),
        payload: encodeText("own"),
      },
      source,
      now,
      now,
      zones,
    );
  const every =
    "Nats-Schedule: @every 1h\r\nNats-Schedule-Target: s.t\r\nNats-Schedule-TTL: 5m\r\nNats-Rollup: sub\r\nNats-Msg-Id: x\r\nNats-TTL: 1\r\nNats-Expected-Stream: S\r\nA: b\r\n";
  const made = make(every);
  assert.equal(
    text(made?.headers),
    "NATS/1.0\r\nA: b\r\nNats-Scheduler: s.schedule\r\nNats-Schedule-Next: 2026-01-01T01:00:00Z\r\nNats-TTL: 5m\r\n\r\n",
  );
  assert.equal(made?.subject, "s.t");
  assert.equal(made?.next, now + 3_600_000);
  const once = make(
    "Nats-Schedule: @at 2025-01-01T00:00:00Z\r\nNats-Schedule-Target: s.t\r\nNats-Schedule-Rollup: sub\r\n",
    {
      headers: undefined,
      payload: encodeText("theirs"),
    },
  );
  assert.equal(
    text(once?.headers),
    "NATS/1.0\r\nNats-Scheduler: s.schedule\r\nNats-Schedule-Next: purge\r\nNats-Rollup: sub\r\n\r\n",
  );
  assert.equal(text(once?.payload), "theirs");
  assert.equal(once?.next, undefined);
  assert.equal(make("A: b\r\n"), undefined);
});
