import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CONSUMER_FRAGMENTS, type Fragment, toJson } from "../support/config-fragments.ts";
import { picker, type Request, ScriptRunner } from "../support/jetstream-script.ts";
import { RealServer } from "../support/real-server.ts";

let folder: string;
let server: RealServer;
let runner: ScriptRunner;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-js-"));
  server = await RealServer.start(["-js", "-sd", folder]);
  runner = await ScriptRunner.start(server);
});

after(async () => {
  await runner.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Streams that consumers are of. */
const STREAMS: Fragment[] = [
  {},
  { retention: "workqueue" },
  { retention: "interest" },
  { consumer_limits: { max_ack_pending: 10, inactive_threshold: 5_000_000_000 } },
];

function stream(more: Fragment): Request {
  return ["STREAM.CREATE.S", toJson({ name: "S", subjects: ["s.>"], storage: "memory", ...more })];
}

function request(config: Fragment, more: Fragment = {}): string {
  return toJson({ stream_name: "S", config, ...more });
}

function named(config: Fragment, more: Fragment = {}): Request {
  return ["CONSUMER.CREATE.S.c", request(config, more)];
}

async function same(scripts: Iterable<readonly Request[]>): Promise<void> {
  const problems: string[] = [];
  for (const script of scripts) problems.push(...(await runner.run(script)));
  assert.equal(problems.length, 0, `${problems.length} differ:\n${problems.slice(0, 12).join("\n")}`);
}

test("consumers are created or refused with one thing said, literally or not", async () => {
  await same(
    STREAMS.flatMap((more) =>
      CONSUMER_FRAGMENTS.flatMap((fragment) => [
        [stream(more), named(fragment), named(fragment, { action: "create" })],
        [stream(more), named({ ack_policy: "explicit", ...fragment }, { pedantic: true })],
      ]),
    ),
  );
});

test("of several faults the same is told, and several things go together", async () => {
  const pick = picker(3);
  const one = (): Fragment => CONSUMER_FRAGMENTS[pick(CONSUMER_FRAGMENTS.length)];
  await same(
    Array.from({ length: 900 }, () => {
      const config = Object.assign({ ack_policy: "explicit" }, one(), one(), one());
      return [stream(STREAMS[pick(STREAMS.length)]), named(config, { pedantic: pick(5) === 0 })];
    }),
  );
  assert.ok(runner.accepted > 1_500);
});

test("consumers are updated, or the update is refused", async () => {
  const pick = picker(4);
  const one = (): Fragment => CONSUMER_FRAGMENTS[pick(CONSUMER_FRAGMENTS.length)];
  const bases: Fragment[] = [
    { ack_policy: "explicit" },
    { deliver_subject: "d", idle_heartbeat: 1_000_000_000 },
  ];
  await same(
    bases.flatMap((base) =>
      CONSUMER_FRAGMENTS.map((fragment) => [
        stream({}),
        named(base),
        named({ ...base, ...fragment }),
        named(base),
      ]),
    ),
  );
  await same(
    Array.from({ length: 500 }, () => {
      const base = { ack_policy: "explicit", ...one(), ...one() };
      const action = ["", "", "update", "create"][pick(4)];
      return [stream(STREAMS[pick(STREAMS.length)]), named(base), named({ ...base, ...one() }, { action })];
    }),
  );
});

test("names, and what the subject says", async () => {
  const durable = (subject: string, config: Fragment): Request => [`CONSUMER.${subject}`, request(config)];
  const explicit = { ack_policy: "explicit" };
  const scripts: Request[][] = [
    [durable("CREATE.S", explicit)],
    [durable("CREATE.S", { ...explicit, durable_name: "c" })],
    [durable("CREATE.S", { ...explicit, name: "c" }), durable("CREATE.S", { ...explicit, name: "c" })],
    [durable("CREATE.S", { name: "a/b" })],
    [durable("CREATE.T", {})],
    [durable("CREATE.S.c", { name: "d" })],
    [durable("CREATE.S.c", { durable_name: "d" })],
    [durable("CREATE.S.c", { durable_name: "c", name: "d" })],
    [durable("CREATE.S.c.s.1", {})],
    [durable("CREATE.S.c.s.1", { filter_subject: "s.1" })],
    [durable("CREATE.S.c.s.1", { filter_subject: "s.2" })],
    [durable("CREATE.S.c.s.1", { filter_subjects: ["s.1"] })],
    [durable("CREATE.S.c.s.>", { filter_subject: "s.>" })],
    [durable("CREATE.S.a\\b", {})],
    [durable("DURABLE.CREATE.S.c", {})],
    [durable("DURABLE.CREATE.S.c", { durable_name: "c" })],
    [durable("DURABLE.CREATE.S.c", { durable_name: "d" })],
    [durable("DURABLE.CREATE.S.a/b", { durable_name: "a/b" })],
    [[`CONSUMER.DURABLE.CREATE.S.${"n".repeat(256)}`, request({ durable_name: "n".repeat(256) })]],
    [[`CONSUMER.CREATE.S.c`, toJson({ stream_name: "T", config: {} })]],
    [
      ["CONSUMER.CREATE.S.c", ""],
      ["CONSUMER.CREATE.S.c", "{}"],
      ["CONSUMER.CREATE.S.c", "null"],
    ],
    [["CONSUMER.CREATE.S.c", toJson({ stream_name: "S", action: "make" })]],
    [["CONSUMER.CREATE.S.c", toJson({ stream_name: "S", config: [] })]],
    [["CONSUMER.CREATE.S.c", toJson({ stream_name: "S", config: { backoff: ["x"] } })]],
    [named({}, { action: "update" })],
    [named({}, { action: "create" }), named({ description: "x" }, { action: "create" })],
    [named(explicit), named(explicit, { action: "update" })],
  ];
  await same(scripts.map((script) => [stream({}), ...script]));
});

test("consumers side by side: limits, and the parts of a work queue", async () => {
  const explicit = { ack_policy: "explicit" };
  const consumer = (name: string, config: Fragment): Request => [
    `CONSUMER.CREATE.S.${name}`,
    request({ ...explicit, ...config }),
  ];
  await same([
    [stream({ max_consumers: 1 }), consumer("a", {}), consumer("b", {})],
    [
      stream({ retention: "workqueue" }),
      consumer("a", {}),
      consumer("b", {}),
      consumer("b", { filter_subject: "s.1" }),
    ],
    [
      stream({ retention: "workqueue" }),
      consumer("a", { filter_subject: "s.1" }),
      consumer("b", { filter_subject: "s.2" }),
      consumer("c", { filter_subject: "s.*" }),
      consumer("d", { filter_subjects: ["s.3", "s.4"] }),
      consumer("a", { filter_subject: "s.2" }),
      consumer("a", { filter_subject: "s.5" }),
    ],
    [
      stream({}),
      consumer("a", { max_ack_pending: 500 }),
      [
        "STREAM.UPDATE.S",
        toJson({ name: "S", subjects: ["s.>"], storage: "memory", consumer_limits: { max_ack_pending: 5 } }),
      ],
    ],
  ]);
});
