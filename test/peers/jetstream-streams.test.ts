import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Fragment, STREAM_FRAGMENTS, toJson } from "../support/config-fragments.ts";
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

/** The stream that others are sourced from. */
const ORIGIN: Request = [
  "STREAM.CREATE.O",
  toJson({ name: "O", subjects: ["o.>"], allow_direct: true, max_msg_size: 10 }),
];

function create(...fragments: Fragment[]): Request {
  return ["STREAM.CREATE.S", toJson(Object.assign({ name: "S" }, ...fragments))];
}

function update(...fragments: Fragment[]): Request {
  return ["STREAM.UPDATE.S", toJson(Object.assign({ name: "S" }, ...fragments))];
}

async function same(scripts: Iterable<readonly Request[]>): Promise<void> {
  const problems: string[] = [];
  for (const script of scripts) problems.push(...(await runner.run(script)));
  assert.equal(problems.length, 0, `${problems.length} differ:\n${problems.slice(0, 12).join("\n")}`);
}

test("streams are created or refused with one thing said, literally or not", async () => {
  await same(
    STREAM_FRAGMENTS.flatMap((fragment) => [
      [ORIGIN, create(fragment), create(fragment)],
      [ORIGIN, create(fragment, { pedantic: true })],
    ]),
  );
});

test("of several faults the same is told, and several things go together", async () => {
  const pick = picker(1);
  const one = (): Fragment => STREAM_FRAGMENTS[pick(STREAM_FRAGMENTS.length)];
  const scripts = Array.from({ length: 900 }, () => [
    ORIGIN,
    create(one(), one(), one(), { pedantic: pick(5) === 0 }),
  ]);
  await same(scripts);
  assert.ok(runner.accepted > 1_000);
});

test("streams are updated, or the update is refused", async () => {
  await same(STREAM_FRAGMENTS.map((fragment) => [ORIGIN, create(), update(fragment)]));
  await same(
    STREAM_FRAGMENTS.map((fragment) => [ORIGIN, create(fragment), update(), update({ sealed: true })]),
  );
  const pick = picker(2);
  const one = (): Fragment => STREAM_FRAGMENTS[pick(STREAM_FRAGMENTS.length)];
  await same(
    Array.from({ length: 500 }, () => {
      const first = [one(), one()];
      return [ORIGIN, create(...first), update(...first, one(), { pedantic: pick(5) === 0 })];
    }),
  );
});

test("names, and what the subject says", async () => {
  const named = (name: string, ...more: Fragment[]): Request => [
    "STREAM.CREATE.S",
    toJson(Object.assign({ name }, ...more)),
  ];
  await same([
    [named(""), named("T"), named("S/T"), ["STREAM.CREATE.S/T", toJson({ name: "S/T" })]],
    [["STREAM.CREATE.A\\B", toJson({ name: "A\\B" })]],
    [[`STREAM.CREATE.${"n".repeat(256)}`, toJson({ name: "n".repeat(256) })]],
    [["STREAM.UPDATE.S", toJson({ name: "S" })]],
    [["STREAM.UPDATE.S", toJson({ name: "T" })]],
    [create({ subjects: ["a.*"] }), ["STREAM.CREATE.T", toJson({ name: "T", subjects: ["a.b"] })]],
    [
      create({ subjects: ["a.*"] }),
      ["STREAM.CREATE.T", toJson({ name: "T", subjects: ["b"] })],
      update({ subjects: ["b"] }),
    ],
    [
      create({ sources: [{ name: "T" }] }),
      ["STREAM.CREATE.T", toJson({ name: "T", sources: [{ name: "S" }] })],
    ],
    [create({ sources: [{ name: "T" }] }), ["STREAM.CREATE.T", toJson({ name: "T", mirror: { name: "S" } })]],
  ]);
});

test("bodies that are no request", async () => {
  const bodies = [
    "",
    " ",
    "{}",
    "null",
    "[]",
    "5",
    '"x"',
    "hello",
    "{",
    '{"name"',
    '{"name":"S"',
    '{"name":"S",}',
    '{"name" "S"}',
    "{name:1}",
    '{"name":"S"} {"max_msgs":5}',
    '{"name":"S"} x',
    '{"name":"S"}{"max_msgs":"5"}',
    '{"name":tru}',
    '{"name":"\\q"}',
    '{"name":"\\u12x4"}',
    '{"name":"a\nb"}',
    '{"name":01}',
    '{"name":-}',
    '{"name":1.}',
    '{"name":1e}',
    '{"name":"S","subjects":[1]}',
    '{"name":"S","subjects":["a"}',
    '{"name":"S","mirror":5}',
    '{"name":"S","mirror":{"name":5}}',
    '{"name":"S","sources":[5]}',
    '{"name":"S","sources":{"name":"x"}}',
    '{"name":"S","sources":[{"name":"x","bogus":1}]}',
    '{"name":"S","mirror":{"opt_start_time":"2026-13-01T00:00:00Z"}}',
    '{"name":"S","mirror":{"opt_start_time":"2026-02-30T00:00:00Z"}}',
    '{"name":"S","mirror":{"opt_start_time":"2026-02-03T04:05:06"}}',
    '{"name":"S","mirror":{"opt_start_time":"2026-02-03T04:05:06Zx"}}',
    '{"name":"S","mirror":{"external":{"api":5}}}',
    '{"name":"S","metadata":{"a":1}}',
    '{"name":"S","metadata":[]}',
    '{"name":"S","consumer_limits":{"max_ack_pending":"x"}}',
    '{"name":"S","consumer_limits":[]}',
    '{"name":"S","first_seq":-1}',
    '{"name":"S","max_msgs":99999999999999999999}',
    '{"name":"S","placement":{"tags":[1]}}',
    '{"name":"S","pedantic":1}',
    '{"name":"S","bogus":1,"max_msgs":"x"}',
    '{"name":"S","max_msgs":"x","bogus":1}',
    '{"name":"S","max_msgs":"x","retention":"y"}',
    '{"name":"S","subject_transform":{"src":5}}',
    '{"name":"S","republish":{"headers_only":5}}',
    '{"name":"S","\\u006eo_ack":true}',
    '{"name":"S","description":"\\ud800x"}',
    '{"name":"S","name":"T"}',
    '{"name":"S","é":1}',
    "\u00e9",
    "'",
    '{"name":"S","a\\"b":1}',
  ];
  await same(bodies.map((body) => [["STREAM.CREATE.S", body]]));
});
