import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  connect,
  createInbox,
  type Msg,
  type NatsConnection,
  headers as newHeaders,
} from "@nats-io/transport-node";
import { DirectMessageWriter } from "../../src/jetstream/api/direct-message.ts";
import * as events from "../../src/jetstream/api/events.ts";
import { messageGet, readDirectGet, refusedGet } from "../../src/jetstream/api/message-get.ts";
import { AckSubjects, parseAckSubject } from "../../src/jetstream/consumer/acks.ts";
import { consumerConfig } from "../../src/jetstream/consumer/config.ts";
import { readPullRequest, refusedPull } from "../../src/jetstream/consumer/pull-request.ts";
import { decodeRequest } from "../../src/jetstream/json/decode.ts";
import { timestampMs, timestampOf } from "../../src/jetstream/json/timestamps.ts";
import { EMPTY, encodeText } from "../../src/protocol/text.ts";
import type { Fragment } from "../support/config-fragments.ts";
import { RealServer } from "../support/real-server.ts";

let folder: string;
let server: RealServer;
let nc: NatsConnection;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-js-"));
  server = await RealServer.start(["-js", "-sd", folder]);
  nc = await connect({ servers: server.url });
});

after(async () => {
  await nc.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function api(subject: string, body: unknown = ""): Promise<Record<string, never>> {
  const text = body === "" ? "" : JSON.stringify(body);
  const answer = JSON.parse((await nc.request(`$JS.API.${subject}`, text)).string());
  assert.equal(answer.error, undefined, `${subject}: ${JSON.stringify(answer.error)}`);
  return answer;
}

/** The status of a frame, as its first line has it. */
function statusOf(frame: Uint8Array): string {
  return new TextDecoder().decode(frame).split("\r\n")[0];
}

function status(msg: Msg): string {
  return `NATS/1.0 ${msg.headers?.code} ${msg.headers?.description}`;
}

const PULLS = [
  "",
  "5",
  "0",
  "-1",
  "x",
  " 7 ",
  "99999999999999999999",
  "{}",
  "{",
  '{"batch":"x"}',
  '{"batch":5}',
  '{"batch":50}',
  '{"bogus":1}',
  '{"expires":1000000000}',
  '{"expires":60000000000}',
  '{"max_bytes":5}',
  '{"max_bytes":5000}',
  '{"idle_heartbeat":1000000000}',
  '{"idle_heartbeat":1000000000,"expires":1500000000}',
  '{"idle_heartbeat":500000000,"expires":1000000000}',
  '{"no_wait":1}',
  '{"group":"a"}',
  '{"group":"b"}',
  '{"group":5}',
  '{"min_pending":1}',
  '{"group":"a","min_pending":1}',
  '{"group":"a","min_ack_pending":1}',
  '{"id":"x"}',
  '{"group":"a","id":"x"}',
  '{"priority":5}',
  '{"group":"a","priority":5}',
  '{"priority":-1}',
  '{"priority":10}',
  '{"batch":5} x',
  '{"batch":5,"expires":60000000000,"max_bytes":5000,"priority":10}',
];

const CONSUMERS: Fragment[] = [
  {},
  { max_batch: 10, max_expires: 5_000_000_000, max_bytes: 100 },
  { priority_policy: "overflow", priority_groups: ["a"] },
  { priority_policy: "pinned_client", priority_groups: ["a"] },
  { priority_policy: "prioritized", priority_groups: ["a"] },
];

test("pull requests are refused for the same reasons", async () => {
  await api("STREAM.CREATE.P", { name: "P", subjects: ["p"], storage: "memory" });
  for (const more of CONSUMERS) {
    const config = { ack_policy: "explicit", inactive_threshold: 60_000_000_000, max_waiting: 100, ...more };
    const created = await api("CONSUMER.CREATE.P.c", { stream_name: "P", config });
    const ours = decodeRequest(consumerConfig, encodeText(JSON.stringify(created.config)));
    for (const body of PULLS) {
      const inbox = createInbox();
      const replies = nc.subscribe(inbox);
      nc.publish("$JS.API.CONSUMER.MSG.NEXT.P.c", body, { reply: inbox });
      // This one is refused for sure: what comes before it is about the first.
      nc.publish("$JS.API.CONSUMER.MSG.NEXT.P.c", '{"priority":77,"batch":1}', { reply: inbox });
      const { request, refused } = readPullRequest(encodeText(body));
      const frame = refused ?? refusedPull(request!, ours, "");
      const expected =
        frame === undefined ? "NATS/1.0 400 Bad Request - Priority must be between 0 and 9" : statusOf(frame);
      for await (const msg of replies) {
        assert.equal(expected, status(msg), `${body} ${JSON.stringify(more)}`);
        break;
      }
    }
    await api("CONSUMER.DELETE.P.c");
  }
  const push = { ack_policy: "explicit", deliver_subject: "d" };
  const created = await api("CONSUMER.CREATE.P.c", { stream_name: "P", config: push });
  const refused = refusedPull(
    readPullRequest(encodeText("")).request!,
    decodeRequest(consumerConfig, encodeText(JSON.stringify(created.config))),
    "",
  );
  assert.equal(statusOf(refused!), status(await nc.request("$JS.API.CONSUMER.MSG.NEXT.P.c")));
});

const GETS = [
  "",
  "{",
  "{}",
  '"x"',
  "null",
  '{"seq":1}',
  '{"seq":99}',
  '{"seq":"x"}',
  '{"last_by_subj":"g.a"}',
  '{"last_by_subj":"g.none"}',
  '{"seq":1,"last_by_subj":"g.a"}',
  '{"next_by_subj":"g.a"}',
  '{"seq":1,"start_time":"2026-01-01T00:00:00Z"}',
  '{"start_time":"x"}',
  '{"start_time":"2020-01-01T00:00:00Z"}',
  '{"last_by_subj":"g.a","next_by_subj":"g.a"}',
  '{"last_by_subj":"g.a","batch":2}',
  '{"last_by_subj":"g.a","start_time":"2020-01-01T00:00:00Z"}',
  '{"multi_last":["g.a"],"last_by_subj":"g.a"}',
  '{"batch":5}',
  '{"multi_last":["g.a"],"next_by_subj":"g.a"}',
  '{"seq":1,"up_to_seq":5,"up_to_time":"2026-01-01T00:00:00Z"}',
  '{"no_hdr":true}',
  '{"seq":1,"bogus":5}',
  '{"max_bytes":5}',
  '{"seq":1,"batch":1,"max_bytes":5}',
];

test("gets are refused for the same reasons, and messages come with the same headers", async () => {
  await api("STREAM.CREATE.G", { name: "G", subjects: ["g.>"], storage: "memory", allow_direct: true });
  const own = newHeaders();
  own.append("A", "b");
  await nc.request("g.a", "one");
  await nc.request("g.b", "two", { timeout: 10_000, headers: own });
  for (const body of GETS) {
    const bytes = encodeText(body);
    const first = await nc.request("$JS.API.DIRECT.GET.G", bytes);
    const { refused } = readDirectGet("", bytes, "");
    if (refused !== undefined) assert.equal(statusOf(refused), status(first), body);
    else assert.ok(![408, 412].includes(first.headers?.code ?? 0), body);
    const ofKey = await nc.request("$JS.API.DIRECT.GET.G.g.a", bytes);
    const keyed = readDirectGet("g.a", bytes, "").refused;
    assert.equal(
      keyed === undefined ? "one" : statusOf(keyed),
      keyed === undefined ? ofKey.string() : status(ofKey),
      body,
    );
    const got = JSON.parse((await nc.request("$JS.API.STREAM.MSG.GET.G", bytes)).string());
    if (body === "" || got.error?.err_code === 10025) continue;
    const refusal = refusedGet(decodeRequest(messageGet, bytes));
    assert.equal(refusal?.errCode, got.error?.err_code === 10037 ? undefined : got.error?.err_code, body);
  }
  for (const [seq, subject] of [
    [1, "g.a"],
    [2, "g.b"],
  ] as const) {
    const got = await nc.request("$JS.API.DIRECT.GET.G", JSON.stringify({ seq }));
    const block = seq === 1 ? undefined : encodeText("NATS/1.0\r\nA: b\r\n\r\n");
    // Stored times are exact to a microsecond here.
    const time = timestampMs(got.headers!.get("Nats-Time-Stamp"));
    got.headers!.set("Nats-Time-Stamp", timestampOf(time));
    const writer = new DirectMessageWriter("G");
    writer.write({ subject, seq, time, headers: block, payload: EMPTY, ttl: 0 }, undefined);
    const ours = writer.bytes.subarray(0, writer.end);
    const theirs = [...got.headers!].map(([name, [value]]) => `${name}: ${value}\r\n`).join("");
    assert.equal(new TextDecoder().decode(ours), `NATS/1.0\r\n${theirs}\r\n`);
  }
});

test("acknowledgement subjects are read and written alike", async () => {
  await api("STREAM.CREATE.A", { name: "A", subjects: ["a"], storage: "memory" });
  await api("CONSUMER.CREATE.A.c", { stream_name: "A", config: { ack_policy: "explicit" } });
  for (let i = 0; i < 3; i++) await nc.request("a", "x");
  const { reply } = await nextOf("A.c");
  const delivery = parseAckSubject(reply!)!;
  assert.deepEqual(
    [delivery.streamSeq, delivery.consumerSeq, delivery.deliveries, delivery.pending],
    [1, 1, 1, 2],
  );
  assert.equal(new AckSubjects("A", "c", { domain: "", accountHash: "" }).reply(delivery), reply);
});

/** The next message of a consumer. Its subject is its own, so that the client cannot tell by it which request it answers. */
async function nextOf(consumer: string): Promise<Msg> {
  const inbox = createInbox();
  const messages = nc.subscribe(inbox, { max: 1 });
  nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${consumer}`, "1", { reply: inbox });
  for await (const msg of messages) return msg;
  throw new Error("the connection was closed");
}

test("advisories and metrics have the same fields in the same order", async () => {
  const received: Msg[] = [];
  const listening = nc.subscribe("$JS.EVENT.>", { callback: (_error, msg) => void received.push(msg) });
  const name = "E";
  await api(`STREAM.CREATE.${name}`, { name, subjects: ["e"], storage: "memory", allow_atomic: true });
  await api(`STREAM.UPDATE.${name}`, {
    name,
    subjects: ["e"],
    storage: "memory",
    allow_atomic: true,
    description: "x",
  });
  const config = { ack_policy: "explicit", sample_freq: "100", max_deliver: 1, ack_wait: 50_000_000 };
  await api(`CONSUMER.CREATE.${name}.c`, { stream_name: name, config });
  await api(`CONSUMER.PAUSE.${name}.c`, { pause_until: "2199-01-01T00:00:00Z" });
  await api(`CONSUMER.PAUSE.${name}.c`);
  for (let i = 0; i < 3; i++) await nc.request("e", "x");
  for (const body of ["+ACK", "-NAK", "+TERM why"])
    await nc.request((await nextOf(`${name}.c`)).reply!, body);
  const batch = newHeaders();
  batch.append("Nats-Batch-Id", "b");
  batch.append("Nats-Batch-Sequence", "1");
  await nc.request("e", "x", { timeout: 10_000, headers: batch });
  const gap = newHeaders();
  gap.append("Nats-Batch-Id", "b");
  gap.append("Nats-Batch-Sequence", "3");
  await nc.request("e", "x", { timeout: 10_000, headers: gap });
  await api(`CONSUMER.DELETE.${name}.c`);
  await api(`STREAM.DELETE.${name}`);
  await nc.flush();
  listening.unsubscribe();
  const compared = new Set<string>();
  for (const msg of received) {
    const theirs = msg.json<Record<string, never>>();
    const ours = rebuilt(msg.subject, theirs);
    if (ours === undefined) continue;
    assert.equal(ours.subject, msg.subject);
    const expected = msg
      .string()
      .replace(/"timestamp":"([^"]+)"/, (_, time) => `"timestamp":"${shown(time)}"`);
    assert.equal(ours.json, expected);
    compared.add(msg.subject.split(".").slice(2, 5).join("."));
  }
  assert.deepEqual([...compared].sort(), [
    "ADVISORY.API",
    "ADVISORY.CONSUMER.CREATED",
    "ADVISORY.CONSUMER.DELETED",
    "ADVISORY.CONSUMER.MSG_NAKED",
    "ADVISORY.CONSUMER.MSG_TERMINATED",
    "ADVISORY.CONSUMER.PAUSE",
    "ADVISORY.STREAM.BATCH_ABANDONED",
    "ADVISORY.STREAM.CREATED",
    "ADVISORY.STREAM.DELETED",
    "ADVISORY.STREAM.UPDATED",
    "METRIC.CONSUMER.ACK",
  ]);
});

/** A moment to the millisecond, as our events have it. */
function shown(timestamp: string): string {
  return new Date(Date.parse(timestamp)).toISOString().replace(/\.?0+Z$/, "Z");
}

/** The event that we make of what a real one says. */
function rebuilt(subject: string, of: Record<string, never>): events.JetStreamEvent | undefined {
  const stamp = { id: of.id, time: Date.parse(of.timestamp), domain: "" };
  const names = { stream: of.stream, consumer: of.consumer };
  const message = {
    ...names,
    consumerSeq: of.consumer_seq,
    streamSeq: of.stream_seq,
    deliveries: of.deliveries,
  };
  switch (subject.split(".").slice(3, 5).join(".")) {
    case "API":
      return events.apiAudit(stamp, of as never);
    case "STREAM.CREATED":
    case "STREAM.UPDATED":
    case "STREAM.DELETED":
      return events.streamAction(stamp, of.stream, of.action);
    case "STREAM.BATCH_ABANDONED":
      return events.batchAbandoned(stamp, of.account, of.stream, of.batch, of.reason);
    case "CONSUMER.CREATED":
    case "CONSUMER.DELETED":
      return events.consumerAction(stamp, names, of.action);
    case "CONSUMER.PAUSE":
      return events.consumerPause(stamp, names, of.paused, of.pause_until);
    case "CONSUMER.MSG_NAKED":
      return events.messageNaked(stamp, message);
    case "CONSUMER.MSG_TERMINATED":
      return events.messageTerminated(stamp, message, of.reason);
    case "CONSUMER.ACK":
      return events.messageAcknowledged(stamp, message, Number(of.ack_time) / 1e6);
    default:
      return undefined;
  }
}
