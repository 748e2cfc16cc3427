import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type MsgHdrs, type NatsConnection, headers as newHeaders } from "@nats-io/transport-node";
import { decodeRequest } from "../../src/jetstream/json/decode.ts";
import { streamConfig } from "../../src/jetstream/stream/config.ts";
import { encodeText } from "../../src/protocol/text.ts";
import type { Fragment } from "../support/config-fragments.ts";
import { picker } from "../support/jetstream-script.ts";
import { PublishModel } from "../support/publish-model.ts";
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

/** A message: its subject, its headers (a name may come with no value), its body. */
type Step = readonly [subject: string, headers?: Readonly<Record<string, string>>, payload?: string];

/** Publishes the same to a real stream and to the model; answers and what is stored at the end must be the same. */
async function same(config: Fragment, steps: readonly Step[]): Promise<void> {
  const body = JSON.stringify({ name: "S", subjects: ["s.>"], storage: "memory", ...config });
  const created = JSON.parse((await nc.request("$JS.API.STREAM.CREATE.S", body)).string());
  assert.equal(created.error, undefined, JSON.stringify(created.error));
  try {
    const model = new PublishModel(decodeRequest(streamConfig, encodeText(JSON.stringify(created.config))));
    for (const step of steps) {
      const [subject, given = {}, payload = ""] = step;
      const block = Object.keys(given).length === 0 ? undefined : blockOf(given);
      const now = Date.now();
      const reply = await nc.request(subject, payload, {
        timeout: 10_000,
        headers: block === undefined ? undefined : headersOf(given),
      });
      const message = { subject, headers: block, payload: encodeText(payload), sourced: false };
      assert.equal(model.publish(message, now), reply.string(), JSON.stringify(step));
    }
    for (const { seq, subject, headers, payload } of model.messages) {
      const got = JSON.parse(
        (await nc.request("$JS.API.STREAM.MSG.GET.S", JSON.stringify({ seq }))).string(),
      );
      assert.equal(got.message?.subject, subject, `${seq} ${JSON.stringify(got)} ${JSON.stringify(steps)}`);
      const theirs = Buffer.from(got.message.hdrs ?? "", "base64").toString();
      assert.equal(Buffer.from(headers ?? []).toString(), theirs, JSON.stringify(steps));
      assert.equal(Buffer.from(payload).toString("base64"), got.message.data ?? "", JSON.stringify(steps));
    }
  } finally {
    await nc.request("$JS.API.STREAM.DELETE.S");
  }
}

function blockOf(given: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\r\n`);
  return encodeText(`NATS/1.0\r\n${lines.join("")}\r\n`);
}

function headersOf(given: Readonly<Record<string, string>>): MsgHdrs {
  const made = newHeaders();
  for (const [name, value] of Object.entries(given)) made.append(name, value);
  return made;
}

const EXPECTATIONS: Readonly<Record<string, string>>[] = [
  { "Nats-Expected-Stream": "S" },
  { "Nats-Expected-Stream": "T" },
  { "Nats-Expected-Last-Sequence": "0" },
  { "Nats-Expected-Last-Sequence": "1" },
  { "Nats-Expected-Last-Sequence": "x" },
  { "Nats-Expected-Last-Subject-Sequence": "0" },
  { "Nats-Expected-Last-Subject-Sequence": "1" },
  { "Nats-Expected-Last-Subject-Sequence": "1", "Nats-Expected-Last-Subject-Sequence-Subject": "s.b" },
  { "Nats-Expected-Last-Subject-Sequence": "1", "Nats-Expected-Last-Subject-Sequence-Subject": "s.*" },
  { "Nats-Expected-Last-Subject-Sequence-Subject": "s.b" },
  { "Nats-Expected-Last-Msg-Id": "one" },
  { "Nats-Expected-Last-Msg-Id": "two" },
  { "Nats-Msg-Id": "one" },
  { "Nats-Msg-Id": "two" },
  { "Nats-Rollup": "sub" },
  { "Nats-Rollup": "ALL" },
  { "Nats-Rollup": "some" },
  { "Nats-TTL": "5" },
  { "Nats-TTL": "5m" },
  { "Nats-TTL": "500ms" },
  { "Nats-TTL": "0" },
  { "Nats-TTL": "-1" },
  { "Nats-TTL": "never" },
  { "Nats-TTL": "soon" },
  { "Nats-TTL": "00" },
  { "Nats-Stream-Source": "T 1 > > s.a" },
  { "Nats-Incr": "+5" },
  { "Nats-Incr": "-123456789012345678901234567890" },
  { "Nats-Incr": "0" },
  { "Nats-Incr": "1.5" },
  { "Nats-Incr": "1_000" },
  { "Nats-Request-Info": "x" },
  { "Nats-Expected": "no header of JetStream" },
  { Other: "x" },
];

const SCHEDULES: Readonly<Record<string, string>>[] = [
  { "Nats-Schedule": "@at 2199-01-01T00:00:00Z" },
  { "Nats-Schedule": "@at 2199-01-01T00:00:00.5+02:00", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@at tomorrow", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@every 1h", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@every 500ms", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@every x", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "@secondly", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 5 1-5,jan * *", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 5 1 JAN-mar/2 sun", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 5 30 2 *", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 24 * * *", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 5 * *", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 0 */0 * * *", "Nats-Schedule-Target": "s.t" },
  { "Nats-Schedule": "0 5-1 * * * *", "Nats-Schedule-Target": "s.t" },
  {
    "Nats-Schedule": "0 0 1 1 1 *",
    "Nats-Schedule-Target": "s.t",
    "Nats-Schedule-Time-Zone": "Europe/Berlin",
  },
  {
    "Nats-Schedule": "0 0 1 1 1 *",
    "Nats-Schedule-Target": "s.t",
    "Nats-Schedule-Time-Zone": "Europe/Atlantis",
  },
  { "Nats-Schedule": "0 0 1 1 1 *", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Time-Zone": "" },
  {
    "Nats-Schedule": "0 0 1 1 1 *",
    "Nats-Schedule-Target": "s.t",
    "Nats-Schedule-Time-Zone": "europe/berlin",
  },
  { "Nats-Schedule": "@every 1h", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Time-Zone": "Europe/Berlin" },
  { "Nats-Schedule-Time-Zone": "Nowhere" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.a" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "t" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.*" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-TTL": "5m" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-TTL": "x" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Rollup": "sub" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Rollup": "all" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Rollup": "all" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Rollup": "sub" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Source": "s.u" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Source": "s.t" },
  { "Nats-Schedule": "@yearly", "Nats-Schedule-Target": "s.t", "Nats-Schedule-Source": "u" },
  { "Nats-Schedule-Next": "purge" },
  { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.b" },
  { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.a" },
  { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.none" },
  { "Nats-Schedule-Next": "later", "Nats-Scheduler": "s.b" },
  { "Nats-Scheduler": "s.b" },
];

const CONFIGS: Fragment[] = [
  {},
  { allow_rollup_hdrs: true, allow_msg_ttl: true },
  { allow_msg_ttl: true, subject_delete_marker_ttl: 10_000_000_000 },
  { allow_msg_counter: true },
  { allow_msg_schedules: true },
  { allow_msg_schedules: true, allow_msg_ttl: true },
  { max_msg_size: 60 },
  { discard: "new", max_msgs: 2 },
  { discard: "new", max_msgs_per_subject: 1, discard_new_per_subject: true, allow_rollup_hdrs: true },
  { discard: "new", max_msgs: 2, max_msgs_per_subject: 1 },
];

test("one header at a time, on streams of all kinds", async () => {
  for (const config of CONFIGS) {
    const one = { "Nats-Msg-Id": "one" };
    const all = [...EXPECTATIONS, ...SCHEDULES];
    await same(config, [
      ["s.a", one, "x"],
      ...all.flatMap((headers): Step[] => [
        ["s.a", headers],
        ["s.b", headers, "body"],
      ]),
    ]);
  }
});

test("several headers at once", async () => {
  const pick = picker(5);
  const any = [...EXPECTATIONS, ...SCHEDULES, {}, {}];
  const one = (): Readonly<Record<string, string>> => any[pick(any.length)];
  for (let run = 0; run < 120; run++) {
    const steps = Array.from(
      { length: 12 },
      (): Step => [`s.${"abc"[pick(3)]}`, { ...one(), ...one() }, pick(2) === 0 ? "" : "body"],
    );
    await same(CONFIGS[pick(CONFIGS.length)], steps);
  }
});

test("counters add up", async () => {
  const add = (incr: string): Step => ["s.count", { "Nats-Incr": incr, "Nats-Msg-Id": incr }];
  await same(
    { allow_msg_counter: true },
    ["1", "+2", "-5", "99999999999999999999999", "0", "007", "--1", ""].map(add),
  );
});

test("batches: all or none, and what they refuse", async () => {
  const pick = picker(6);
  const configs: Fragment[] = [
    { allow_atomic: true },
    {},
    ...CONFIGS.slice(1, 6).map((config) => ({ ...config, allow_atomic: true })),
  ];
  const any = [...EXPECTATIONS, ...SCHEDULES, {}, {}, {}, {}, {}];
  for (let run = 0; run < 150; run++) {
    const steps: Step[] = [
      ["s.a", {}, "x"],
      ["s.b", { "Nats-Msg-Id": "one" }],
    ];
    for (let batch = 0; batch < 4; batch++) {
      const size = 1 + pick(4);
      for (let i = 1; i <= size; i++) {
        const commit: Readonly<Record<string, string>> =
          i < size ? {} : { "Nats-Batch-Commit": ["1", "1", "1", "eob", "2", ""][pick(6)] };
        const seq = String(pick(15) === 0 ? i + 1 : i);
        const more = pick(3) === 0 ? any[pick(any.length)] : {};
        steps.push([
          `s.${"abcd"[pick(4)]}`,
          { "Nats-Batch-Id": `b${batch}`, "Nats-Batch-Sequence": seq, ...commit, ...more },
        ]);
      }
    }
    await same(configs[pick(configs.length)], steps);
  }
});

test("what a batch's own headers may be", async () => {
  const step = (more: Readonly<Record<string, string>>): Step => ["s.a", { "Nats-Batch-Id": "b", ...more }];
  await same({ allow_atomic: true }, [
    step({}),
    step({ "Nats-Batch-Sequence": "x" }),
    step({ "Nats-Batch-Sequence": "0" }),
    step({ "Nats-Batch-Sequence": "2" }),
    step({ "Nats-Batch-Sequence": "1001" }),
    step({ "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "eob" }),
    step({ "Nats-Batch-Sequence": "1", "Nats-Required-Api-Level": "99" }),
    ["s.a", { "Nats-Batch-Id": "x".repeat(65), "Nats-Batch-Sequence": "1" }],
    ["s.a", { "Nats-Batch-Id": "x".repeat(64), "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1" }],
  ]);
});
