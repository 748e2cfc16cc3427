import { after, before, describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

function create(config: Readonly<Record<string, unknown>> = {}): Step {
  const name = String(config.name ?? "S");
  return [`$JS.API.STREAM.CREATE.${name}`, { name, subjects: ["s.>"], ...config }];
}

const INFO: Step = ["$JS.API.STREAM.INFO.S", { deleted_details: true, subjects_filter: ">" }];

function get(seq: number): Step {
  return ["$JS.API.STREAM.MSG.GET.S", { seq }];
}

/** So many messages, on `s.1`, `s.2`, `s.3` and again. */
function publishes(count: number): Step[] {
  return Array.from({ length: count }, (_, i): Step => [`s.${(i % 3) + 1}`, `message ${i + 1}`]);
}

/** A durable consumer that acknowledges each message. */
function consumer(name: string, config: Readonly<Record<string, unknown>> = {}): Step {
  const all = { durable_name: name, name, ack_policy: "explicit", ...config };
  return [`$JS.API.CONSUMER.CREATE.S.${name}${subjectOf(config)}`, { stream_name: "S", config: all }];
}

function subjectOf({ filter_subject: filter }: Readonly<Record<string, unknown>>): string {
  return filter === undefined ? "" : `.${filter}`;
}

/** Takes the next message of a consumer, and acknowledges it. */
function next(name: string, ack = "+ACK"): Step {
  return {
    subject: `$JS.API.CONSUMER.MSG.NEXT.S.${name}`,
    body: { batch: 1, no_wait: true },
    ack,
    answers: 1,
  };
}

/** A message of a batch. */
function batched(
  subject: string,
  payload: string,
  id: string,
  seq: number,
  headers: Readonly<Record<string, string>> = {},
): Step {
  return [subject, payload, { "Nats-Batch-Id": id, "Nats-Batch-Sequence": String(seq), ...headers }];
}

function purge(request: object | string = ""): Step {
  return ["$JS.API.STREAM.PURGE.S", request];
}

function direct(request: object, key?: string): Step {
  return [`$JS.API.DIRECT.GET.S${key === undefined ? "" : `.${key}`}`, request];
}

/** Each is run with both kinds of storage. */
const SCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  "makes, changes, shows and deletes a stream": [
    create(),
    create(),
    create({ description: "other" }),
    ["$JS.API.STREAM.CREATE.T", { name: "S" }],
    ["$JS.API.STREAM.CREATE.S", '{"name":"S","nope":1}'],
    ["$JS.API.STREAM.CREATE.S", ""],
    ["s.1", "x"],
    INFO,
    ["$JS.API.STREAM.INFO.S"],
    ["$JS.API.STREAM.INFO.S", "nonsense"],
    ["$JS.API.STREAM.INFO.S", '{"nope":1}'],
    ["$JS.API.STREAM.INFO.NONE"],
    ["$JS.API.STREAM.LIST"],
    ["$JS.API.STREAM.LIST", { subject: "t.>" }],
    ["$JS.API.STREAM.NAMES"],
    ["$JS.API.STREAM.NAMES", { subject: "s.*" }],
    ["$JS.API.STREAM.NAMES", { offset: 3 }],
    ["$JS.API.STREAM.NAMES", { nope: 3 }],
    ["$JS.API.INFO"],
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>", "t.>"], description: "changed" }],
    ["t.1", "x"],
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["t.>"] }],
    ["t.2", "x"],
    ["$JS.API.STREAM.UPDATE.NONE", { name: "NONE" }],
    INFO,
    ["$JS.API.STREAM.DELETE.S", { a: 1 }],
    ["$JS.API.STREAM.DELETE.S"],
    ["$JS.API.STREAM.DELETE.S"],
    ["$JS.API.STREAM.NAMES"],
  ],
  "refuses what only a cluster does, and other levels of the API": [
    ["$JS.API.STREAM.LEADER.STEPDOWN.S"],
    ["$JS.API.STREAM.PEER.REMOVE.S"],
    ["$JS.API.CONSUMER.LEADER.STEPDOWN.S.C"],
    ["$JS.API.INFO", "", { "Nats-Required-Api-Level": "999" }],
    ["$JS.API.STREAM.NAMES", "", { "Nats-Required-Api-Level": "x" }],
    ["$JS.API.STREAM.NAMES", "", { "Nats-Required-Api-Level": "1" }],
    ["$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s"], num_replicas: 3 }],
  ],
  "does not take requests whose subject has an empty token": [
    ["$JS.API.STREAM.CREATE.", { name: "" }],
    ["$JS.API.INFO."],
    ["$JS.API.CONSUMER.INFO..C"],
    ["$JS.API.", ""],
    ["$JS.API.STREAM.INFO.>"],
  ],
  "gives messages one by one, and removes them": [
    create(),
    ["s.1", "one"],
    ["s.2", "two", { "X-Own": "header" }],
    ["s.1", ""],
    get(1),
    get(2),
    get(3),
    get(4),
    get(0),
    ["$JS.API.STREAM.MSG.GET.S"],
    ["$JS.API.STREAM.MSG.GET.NONE", { seq: 1 }],
    ["$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.1" }],
    ["$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.*" }],
    ["$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.9" }],
    ["$JS.API.STREAM.MSG.GET.S", { next_by_subj: "s.1" }],
    ["$JS.API.STREAM.MSG.GET.S", { next_by_subj: "s.1", seq: 2 }],
    ["$JS.API.STREAM.MSG.GET.S", { next_by_subj: ">", seq: 4 }],
    ["$JS.API.STREAM.MSG.GET.S", { seq: 2, no_hdr: true }],
    ["$JS.API.STREAM.MSG.GET.S", { start_time: "2020-01-01T00:00:00Z" }],
    ["$JS.API.STREAM.MSG.GET.S", { seq: 1, batch: 2 }],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 2 }],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 2 }],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 1, no_erase: true }],
    ["$JS.API.STREAM.MSG.DELETE.S"],
    ["$JS.API.STREAM.MSG.DELETE.NONE", { seq: 2 }],
    get(2),
    INFO,
  ],
  "gives messages directly": [
    create({ allow_direct: true }),
    ...publishes(7),
    ["s.1", "with headers", { "X-Own": "header" }],
    direct({ seq: 2 }),
    direct({ seq: 8 }),
    direct({ seq: 8, no_hdr: true }),
    direct({ seq: 9 }),
    direct({ last_by_subj: "s.2" }),
    direct({ last_by_subj: "s.>" }),
    direct({ last_by_subj: "t" }),
    direct({ next_by_subj: "s.2" }),
    direct({ next_by_subj: "s.2", seq: 3 }),
    direct({ next_by_subj: "s.2", seq: 8 }),
    direct({ start_time: "2020-01-01T00:00:00Z" }),
    { subject: "$JS.API.DIRECT.GET.S", body: "", answers: 1 },
    { subject: "$JS.API.DIRECT.GET.S", body: "{", answers: 1 },
    direct({ seq: 1, last_by_subj: "s.1" }),
    { subject: "$JS.API.DIRECT.GET.S.s.1", body: "", answers: 1 },
    direct({ no_hdr: true }, "s.1"),
    direct({ seq: 1 }, "s.1"),
    { subject: "$JS.API.DIRECT.GET.S.nope", body: "", answers: 1 },
    ["$JS.API.DIRECT.GET.S", { seq: 1 }, { "Nats-Required-Api-Level": "999" }],
    direct({ seq: 1, batch: 3 }),
    direct({ seq: 6, batch: 10 }),
    direct({ seq: 1, batch: 10, max_bytes: 20 }),
    direct({ next_by_subj: "s.1", batch: 2 }),
    direct({ next_by_subj: "s.1", batch: 10 }),
    direct({ next_by_subj: "nope", batch: 10 }),
    direct({ seq: 100, batch: 10 }),
    direct({ multi_last: ["s.>"] }),
    direct({ multi_last: ["s.1", "s.3"] }),
    direct({ multi_last: ["s.>"], up_to_seq: 4 }),
    direct({ multi_last: ["s.>"], batch: 2 }),
    direct({ multi_last: ["s.>"], seq: 7 }),
    direct({ multi_last: ["nope"] }),
    direct({ multi_last: ["s.>"], up_to_time: "2020-01-01T00:00:00Z" }),
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 2 }],
    direct({ seq: 1, batch: 3 }),
  ],
  "purges in all ways": [
    create(),
    ...publishes(9),
    purge({ filter: "s.2", keep: 1 }),
    INFO,
    purge({ seq: 4 }),
    INFO,
    purge({ keep: 2 }),
    INFO,
    purge({ filter: "s.*", seq: 9 }),
    INFO,
    purge({ seq: 1, keep: 1 }),
    purge({ nope: 1 }),
    purge("nonsense"),
    INFO,
    ["s.1", "after"],
    INFO,
    purge(),
    ["$JS.API.STREAM.PURGE.NONE"],
    INFO,
  ],
  "expects what a publish expects": [
    create(),
    ["s.1", "a", { "Nats-Expected-Last-Sequence": "0" }],
    ["s.1", "b", { "Nats-Expected-Last-Sequence": "0" }],
    ["s.1", "b", { "Nats-Expected-Last-Subject-Sequence": "1" }],
    ["s.2", "c", { "Nats-Expected-Last-Subject-Sequence": "1" }],
    ["s.2", "c", { "Nats-Expected-Last-Subject-Sequence": "0" }],
    [
      "s.3",
      "c",
      { "Nats-Expected-Last-Subject-Sequence": "3", "Nats-Expected-Last-Subject-Sequence-Subject": "s.*" },
    ],
    [
      "s.3",
      "c",
      { "Nats-Expected-Last-Subject-Sequence": "3", "Nats-Expected-Last-Subject-Sequence-Subject": "s.*" },
    ],
    ["s.1", "d", { "Nats-Expected-Stream": "T" }],
    ["s.1", "e", { "Nats-Msg-Id": "one" }],
    ["s.1", "e", { "Nats-Msg-Id": "one" }],
    ["s.1", "f", { "Nats-Expected-Last-Msg-Id": "one" }],
    ["s.1", "f", { "Nats-Expected-Last-Msg-Id": "one" }],
    ["s.1", "g", { "Nats-Rollup": "sub" }],
    ["s.1", "g", { "Nats-TTL": "5" }],
    INFO,
  ],
  "rolls up": [
    create({ allow_rollup_hdrs: true }),
    ...publishes(6),
    ["s.1", "rolled", { "Nats-Rollup": "sub" }],
    INFO,
    ["s.9", "rolled", { "Nats-Rollup": "all" }],
    INFO,
    ["s.9", "x", { "Nats-Rollup": "nope" }],
  ],
  "discards the oldest": [
    create({ max_msgs: 4, max_msgs_per_subject: 2 }),
    ...publishes(5),
    ["s.1", "x"],
    INFO,
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], max_msgs: 2 }],
    50,
    INFO,
  ],
  "discards the new": [
    create({ max_msgs: 4, max_msgs_per_subject: 2, discard: "new" }),
    ...publishes(6),
    ["s.4", "x"],
    INFO,
    [
      "$JS.API.STREAM.UPDATE.S",
      {
        name: "S",
        subjects: ["s.>"],
        max_msgs_per_subject: 1,
        discard: "new",
        discard_new_per_subject: true,
      },
    ],
    50,
    ["s.1", "x"],
    ["s.4", "x"],
    INFO,
  ],
  "keeps to sizes": [
    create({ max_msg_size: 10 }),
    ["s.1", "0123456789"],
    ["s.1", "01234567890"],
    ["s.1", "", { "X-Long": "0123456789" }],
    INFO,
  ],
  "is sealed, and denies": [
    create({ deny_delete: true, deny_purge: true }),
    ["s.1", "x"],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 1 }],
    purge(),
    [
      "$JS.API.STREAM.UPDATE.S",
      { name: "S", subjects: ["s.>"], sealed: true, deny_delete: true, deny_purge: true },
    ],
    ["s.1", "y"],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 1 }],
    purge(),
    INFO,
  ],
  "changes subjects": [
    create({ subject_transform: { src: "s.*", dest: "changed.{{wildcard(1)}}" } }),
    ["s.1", "x"],
    ["s.1.2", "x"],
    get(1),
    get(2),
  ],
  "lets messages expire": [
    create({ max_age: 150_000_000, allow_msg_ttl: false }),
    ["s.1", "x"],
    INFO,
    1_500,
    INFO,
  ],
  "lets messages expire by their own time": [
    create({ allow_msg_ttl: true }),
    ["s.1", "x", { "Nats-TTL": "1" }],
    ["s.2", "x", { "Nats-TTL": "never" }],
    ["s.3", "x", { "Nats-TTL": "1h" }],
    ["s.3", "x", { "Nats-TTL": "nope" }],
    1_600,
    INFO,
  ],
  "puts markers in place of what has expired": [
    create({ subject_delete_marker_ttl: 2_000_000_000, max_age: 1_000_000_000 }),
    ["s.1", "x"],
    ["s.1", "x"],
    ["s.2", "x"],
    1_700,
    INFO,
    get(4),
  ],
  counts: [
    create({ allow_msg_counter: true, allow_direct: true }),
    ["s.1", "", { "Nats-Incr": "1" }],
    ["s.1", "", { "Nats-Incr": "+41" }],
    ["s.2", "", { "Nats-Incr": "-5" }],
    ["s.1", "x", { "Nats-Incr": "1" }],
    ["s.1", "x"],
    get(2),
    INFO,
  ],
  "stores batches whole or not at all": [
    create({ allow_atomic: true, allow_rollup_hdrs: true, max_msgs_per_subject: 3 }),
    ["s.1", "before"],
    batched("s.1", "one", "A", 1),
    batched("s.2", "two", "A", 2, { "Nats-Msg-Id": "id" }),
    INFO,
    batched("s.1", "three", "A", 3, { "Nats-Batch-Commit": "1" }),
    INFO,
    get(2),
    get(4),
    batched("s.1", "one", "B", 1, { "Nats-Expected-Last-Sequence": "4" }),
    batched("s.1", "", "B", 2, { "Nats-Batch-Commit": "eob" }),
    get(5),
    batched("s.1", "one", "C", 1),
    batched("s.1", "gap", "C", 3),
    batched("s.1", "late", "C", 2),
    batched("s.1", "duplicate", "D", 1, { "Nats-Msg-Id": "id" }),
    batched("s.1", "", "D", 2, { "Nats-Batch-Commit": "1" }),
    batched("s.1", "one", "E", 1),
    batched("s.1", "wrong", "E", 2, { "Nats-Expected-Last-Subject-Sequence": "1", "Nats-Batch-Commit": "1" }),
    batched("s.1", "bad", "F", 1, { "Nats-Batch-Commit": "nope" }),
    batched("s.1", "level", "G", 1, { "Nats-Required-Api-Level": "999" }),
    batched("s.1", "level", "G", 1, { "Nats-Required-Api-Level": "1", "Nats-Batch-Commit": "1" }),
    get(6),
    batched("s.2", "rolls up", "H", 1, { "Nats-Rollup": "sub" }),
    batched("s.3", "and more", "H", 2, { "Nats-Batch-Commit": "1" }),
    ["s.1", "x", { "Nats-Batch-Id": "x".repeat(65), "Nats-Batch-Sequence": "1" }],
    ["s.1", "x", { "Nats-Batch-Id": "I" }],
    INFO,
  ],
  "stores no batches where they are not allowed": [
    create(),
    batched("s.1", "x", "A", 1),
    ["$JS.API.STREAM.INFO.S"],
  ],
  "keeps batches within limits": [
    create({ allow_atomic: true, max_msgs: 3, discard: "new" }),
    ["s.1", "x"],
    batched("s.1", "one", "A", 1),
    batched("s.1", "two", "A", 2),
    batched("s.1", "three", "A", 3, { "Nats-Batch-Commit": "1" }),
    batched("s.1", "one", "B", 1),
    batched("s.1", "two", "B", 2, { "Nats-Batch-Commit": "1" }),
    INFO,
  ],
  "counts in batches": [
    create({ allow_atomic: true, allow_msg_counter: true }),
    ["s.1", "", { "Nats-Incr": "1" }],
    batched("s.1", "", "A", 1, { "Nats-Incr": "2" }),
    batched("s.2", "", "A", 2, { "Nats-Incr": "3" }),
    batched("s.1", "", "A", 3, { "Nats-Incr": "4", "Nats-Batch-Commit": "1" }),
    get(2),
    get(4),
    INFO,
  ],
  "publishes what is scheduled": [
    create({ allow_msg_schedules: true, allow_msg_ttl: true }),
    ["s.plan", "later", { "Nats-Schedule": "@at 2020-01-01T00:00:00Z", "Nats-Schedule-Target": "s.made" }],
    700,
    INFO,
    ["$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.made" }],
    ["s.source", "of the source", { "X-Own": "header" }],
    [
      "s.plan",
      "again and again",
      {
        "Nats-Schedule": "@every 1s",
        "Nats-Schedule-Target": "s.made",
        "Nats-Schedule-Source": "s.source",
        "Nats-Schedule-TTL": "5m",
        "Nats-Schedule-Rollup": "sub",
      },
    ],
    2_900,
    { subject: "$JS.API.STREAM.MSG.GET.S", body: { last_by_subj: "s.made" }, anySeq: true },
    {
      subject: "s.made",
      body: "no more",
      headers: { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.plan" },
      anySeq: true,
    },
    ["$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.plan" }],
    ["s.plan", "x", { "Nats-Schedule": "nope", "Nats-Schedule-Target": "s.made" }],
    ["s.plan", "x", { "Nats-Schedule": "@every 1h", "Nats-Schedule-Target": "t" }],
    1_500,
    { subject: "$JS.API.STREAM.MSG.GET.S", body: { last_by_subj: "s.made" }, anySeq: true },
  ],
  "does without acknowledgements": [
    create({ no_ack: true }),
    { subject: "s.1", body: "x", answers: 0 },
    50,
    INFO,
  ],
  "begins with a sequence": [create({ first_seq: 100 }), INFO, ["s.1", "x"], INFO],
  "stores nothing that nobody wants": [
    create({ retention: "interest" }),
    ["s.1", "x"],
    ["s.1", "x", { "Nats-Msg-Id": "a" }],
    ["s.1", "x", { "Nats-Msg-Id": "a" }],
    INFO,
  ],
  "keeps work until it is done": [
    create({ retention: "workqueue" }),
    ["s.1", "before anybody"],
    consumer("c"),
    ["s.2", "x"],
    INFO,
    next("c"),
    INFO,
    next("c", "-NAK"),
    next("c", "+TERM"),
    INFO,
    ["s.3", "x"],
    ["$JS.API.CONSUMER.DELETE.S.c"],
    INFO,
    consumer("d", { filter_subject: "s.3" }),
    consumer("e", { filter_subject: "s.3" }),
    next("d"),
    INFO,
  ],
  "keeps what consumers want until all have it": [
    create({ retention: "interest" }),
    ["s.1", "nobody wants it"],
    consumer("one", { filter_subject: "s.1" }),
    consumer("all"),
    ...publishes(3),
    INFO,
    next("all"),
    INFO,
    next("one"),
    50,
    INFO,
    next("all"),
    50,
    INFO,
    ["s.1", "for both"],
    ["$JS.API.CONSUMER.DELETE.S.all"],
    100,
    INFO,
    ["s.2", "nobody wants it"],
    next("one"),
    50,
    INFO,
    ["s.1", "x"],
    ["$JS.API.CONSUMER.DELETE.S.one"],
    100,
    INFO,
  ],
  "says what consumers have left to deliver": [
    create({ max_msgs: 4 }),
    ...publishes(3),
    consumer("c"),
    consumer("two", { filter_subject: "s.2" }),
    ...publishes(3),
    ["$JS.API.CONSUMER.INFO.S.c"],
    ["$JS.API.CONSUMER.INFO.S.two"],
    next("c"),
    ["$JS.API.STREAM.PURGE.S", { filter: "s.2" }],
    ["$JS.API.CONSUMER.INFO.S.c"],
    ["$JS.API.CONSUMER.INFO.S.two"],
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 6 }],
    ["$JS.API.CONSUMER.INFO.S.c"],
    ["$JS.API.CONSUMER.NAMES.S"],
    ["$JS.API.STREAM.PURGE.S"],
    ["$JS.API.CONSUMER.INFO.S.c"],
  ],
};

describe("streams beside nats-server", () => {
  for (const [title, script] of Object.entries(SCRIPTS)) {
    for (const storage of ["memory", "file"]) {
      it(`${title}, storage ${storage}`, () => both.same(script.map((step) => withStorage(step, storage))));
    }
  }

  it("publishes again what is stored", () =>
    both.same(
      [
        create({ storage: "memory", republish: { src: "s.>", dest: "again.{{wildcard(1)}}.>" } }),
        create({ storage: "memory", republish: { src: "s.*", dest: "again.{{wildcard(1)}}" } }),
        ["s.1", "x"],
        ["s.1", "y", { "X-Own": "header" }],
        ["s.2.3", "z"],
        50,
      ],
      ["again.>"],
    ));

  it("publishes headers again", () =>
    both.same(
      [
        create({ republish: { src: "s.*", dest: "again.{{wildcard(1)}}", headers_only: true } }),
        ["s.1", "x"],
        ["s.1", "y", { "X-Own": "header" }],
        50,
      ],
      ["again.>"],
    ));

  it("tells of batches that are given up", () =>
    both.same(
      [
        create({ storage: "memory", allow_atomic: true }),
        batched("s.1", "one", "A", 1),
        batched("s.1", "three", "A", 3),
        batched("s.1", "one", "B", 1, { "Nats-Required-Api-Level": "999" }),
        50,
      ],
      ["$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.>"],
    ));

  it("tells what becomes of streams", () =>
    both.same(
      [
        create({ storage: "memory" }),
        ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["t"], storage: "memory" }],
        ["$JS.API.STREAM.DELETE.S"],
        50,
      ],
      ["$JS.EVENT.ADVISORY.STREAM.>"],
    ));
});

function withStorage(step: Step, storage: string): Step {
  if (typeof step === "number" || "subject" in step || "restart" in step) return step;
  const [subject, body, headers] = step;
  if (!/STREAM\.(CREATE|UPDATE)/.test(subject) || typeof body !== "object") return step;
  return [subject, { ...body, storage }, headers];
}
