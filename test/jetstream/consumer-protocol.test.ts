import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfBatch } from "../../src/jetstream/api/message-get.ts";
import { pageOf } from "../../src/jetstream/api/paging.ts";
import { isPartialPurge, refusedPurge } from "../../src/jetstream/api/requests.ts";
import { parseApiSubject, responseType } from "../../src/jetstream/api/subject.ts";
import {
  AckSubjects,
  isSampled,
  parseAckSubject,
  readAck,
  samplePercentage,
} from "../../src/jetstream/consumer/acks.ts";
import { idleHeartbeat, STATUS } from "../../src/jetstream/status-frames.ts";
import { encodeText } from "../../src/protocol/text.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("subjects of the API", () => {
  const none = { stream: "", consumer: "", filter: "", account: "", served: "always" };
  const cases: [subject: string, read: object | undefined][] = [
    ["INFO", { ...none, request: "INFO" }],
    ["STREAM.NAMES", { ...none, request: "STREAM.NAMES" }],
    ["STREAM.CREATE.S", { ...none, request: "STREAM.CREATE", stream: "S" }],
    ["STREAM.INFO.MSG", { ...none, request: "STREAM.INFO", stream: "MSG" }],
    ["STREAM.MSG.GET.S", { ...none, request: "STREAM.MSG.GET", stream: "S" }],
    ["CONSUMER.CREATE.S", { ...none, request: "CONSUMER.CREATE", stream: "S" }],
    ["CONSUMER.CREATE.S.c", { ...none, request: "CONSUMER.CREATE", stream: "S", consumer: "c" }],
    [
      "CONSUMER.CREATE.S.c.a.>",
      { ...none, request: "CONSUMER.CREATE", stream: "S", consumer: "c", filter: "a.>" },
    ],
    [
      "CONSUMER.DURABLE.CREATE.S.c",
      { ...none, request: "CONSUMER.DURABLE.CREATE", stream: "S", consumer: "c" },
    ],
    ["CONSUMER.MSG.NEXT.S.c", { ...none, request: "CONSUMER.MSG.NEXT", stream: "S", consumer: "c" }],
    ["DIRECT.GET.S", { ...none, request: "DIRECT.GET", stream: "S" }],
    ["DIRECT.GET.S.$KV.B.a.b", { ...none, request: "DIRECT.GET", stream: "S", filter: "$KV.B.a.b" }],
    ["STREAM.PEER.REMOVE.S", { ...none, request: "STREAM.PEER.REMOVE", stream: "S", served: "cluster" }],
    ["ACCOUNT.PURGE.A", { ...none, request: "ACCOUNT.PURGE", account: "A", served: "system" }],
    ["STREAM.CREATE", undefined],
    ["STREAM.CREATE.", undefined],
    ["STREAM.CREATE.a.b", undefined],
    ["STREAM.NAMES.x", undefined],
    ["CONSUMER.INFO.S", undefined],
    ["toString", undefined],
    ["", undefined],
  ];
  for (const [subject, read] of cases) assert.deepEqual(parseApiSubject(`$JS.API.${subject}`), read, subject);
  assert.equal(parseApiSubject("$JS.ACK.S"), undefined);
  assert.equal(responseType("STREAM.NAMES"), "io.nats.jetstream.api.v1.stream_names_response");
});

test("what acknowledgements say", () => {
  const bytes = (value: string): Uint8Array => encodeText(value);
  const nak = (delay: number | undefined, unreadable?: string) => ({ kind: "nak", delay, unreadable });
  for (const body of ["", "+ACK", "+OK"]) assert.deepEqual(readAck(bytes(body)), { kind: "ack" }, body);
  assert.deepEqual(readAck(bytes("-NAK")), nak(undefined));
  assert.deepEqual(readAck(bytes("-NAK  ")), nak(undefined));
  assert.deepEqual(readAck(bytes("-NAK 1m")), nak(60_000));
  assert.deepEqual(readAck(bytes('-NAK {"delay": 1500000}')), nak(1.5));
  assert.deepEqual(readAck(bytes("-NAK soon")), nak(undefined, "soon"));
  assert.deepEqual(readAck(bytes("-NAK {x}")), nak(undefined, "{x}"));
  assert.deepEqual(readAck(bytes("+WPI")), { kind: "progress" });
  assert.deepEqual(readAck(bytes("+TERM")), { kind: "term", reason: "" });
  assert.deepEqual(readAck(bytes("+TERM too old ")), { kind: "term", reason: "too old" });
  assert.deepEqual(readAck(bytes("+NXT 5")), { kind: "next", request: bytes(" 5") });
  for (const body of ["+WPI ", "+ACK ", "ack", "+OKAY"]) assert.equal(readAck(bytes(body)), undefined, body);
});

test("subjects of acknowledgements, in both forms", () => {
  const delivery = { streamSeq: 7, consumerSeq: 3, deliveries: 2, time: 1767323045123456789n, pending: 12 };
  const first = new AckSubjects("S", "c", { domain: "", accountHash: "abc" });
  const second = new AckSubjects("S", "c", { domain: "hub", accountHash: "abc" }, true);
  assert.equal(first.reply(delivery), "$JS.ACK.S.c.2.7.3.1767323045123456789.12");
  assert.equal(second.reply(delivery), "$JS.ACK.hub.abc.S.c.2.7.3.1767323045123456789.12");
  assert.deepEqual(parseAckSubject(first.reply(delivery)), delivery);
  assert.deepEqual(parseAckSubject(second.reply(delivery)), delivery);
  assert.deepEqual(parseAckSubject(`${second.reply(delivery)}.more`), delivery);
  assert.equal(parseAckSubject("$JS.ACK.S.c.2.7.3.1"), undefined);
  assert.equal(parseAckSubject("$JS.ACK.S.c.x.7.3.1.1"), undefined);
  assert.equal(parseAckSubject("$JS.FC.S.c.2.7.3.1.1"), undefined);
  assert.deepEqual(first.filters, ["$JS.ACK.S.c.*.*.*.*.*", "$JS.ACK._.abc.S.c.*.*.*.*.>"]);
  assert.equal(first.flowControl("tok"), "$JS.FC.S.c.tok");
});

test("sampling", () => {
  assert.equal(samplePercentage(""), 0);
  assert.equal(samplePercentage("30%"), 30);
  assert.equal(isSampled(0, 0), false);
  assert.equal(isSampled(100, 0.999), true);
  assert.equal(isSampled(30, 0.305), true);
  assert.equal(isSampled(30, 0.31), false);
});

test("status frames", () => {
  assert.equal(text(STATUS.noMessages()), "NATS/1.0 404 No Messages\r\n\r\n");
  assert.equal(
    text(STATUS.requestTimeout({ messages: 3, bytes: 5 })),
    "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\nNats-Pending-Bytes: 5\r\n\r\n",
  );
  assert.equal(
    text(idleHeartbeat(3, 5, "$JS.FC.S.c.tok")),
    "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 3\r\nNats-Last-Stream: 5\r\nNats-Consumer-Stalled: $JS.FC.S.c.tok\r\n\r\n",
  );
  assert.equal(
    text(endOfBatch(1, 2, 3)),
    "NATS/1.0 204 EOB\r\nNats-Num-Pending: 1\r\nNats-Last-Sequence: 2\r\nNats-UpTo-Sequence: 3\r\n\r\n",
  );
});

test("pages, and purges of a part", () => {
  assert.deepEqual(pageOf([1, 2, 3], 1, 1), { total: 3, offset: 1, limit: 1, items: [2] });
  assert.deepEqual(pageOf([1, 2, 3], -5, 2), { total: 3, offset: 0, limit: 2, items: [1, 2] });
  assert.deepEqual(pageOf([1, 2, 3], 9, 2), { total: 3, offset: 3, limit: 2, items: [] });
  for (const body of ["{}", " {", "[1]"]) assert.equal(isPartialPurge(encodeText(body)), true, body);
  for (const body of ["", "x", " "]) assert.equal(isPartialPurge(encodeText(body)), false, body);
  assert.equal(refusedPurge({ seq: 1, keep: 1, filter: "" })?.errCode, 10003);
  assert.equal(refusedPurge({ seq: 1, keep: 0, filter: "" }), undefined);
});
