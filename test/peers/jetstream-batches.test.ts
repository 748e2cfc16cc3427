import { after, before, describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";
import { picker } from "../support/jetstream-script.ts";

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

type Headers = Readonly<Record<string, string>>;

function create(config: Readonly<Record<string, unknown>> = {}): Step {
  const name = "S";
  return [
    "$JS.API.STREAM.CREATE.S",
    { name, subjects: ["s.>"], allow_atomic: true, allow_batched: true, ...config },
  ];
}

const INFO: Step = ["$JS.API.STREAM.INFO.S", { deleted_details: true, subjects_filter: ">" }];

/** All that is stored, up to a sequence. */
function stored(through: number): Step[] {
  const gets = Array.from({ length: through }, (_, i): Step => ["$JS.API.STREAM.MSG.GET.S", { seq: i + 1 }]);
  return [INFO, ...gets];
}

/** A message of an atomic batch. */
function part(id: string, seq: number, commit = "", headers: Headers = {}, subject = "s.a"): Step {
  const ending: Headers = commit === "" ? {} : { "Nats-Batch-Commit": commit };
  return [
    subject,
    commit === "eob" ? "" : `${id} ${seq}`,
    { "Nats-Batch-Id": id, "Nats-Batch-Sequence": String(seq), ...ending, ...headers },
  ];
}

/** A message of fast ingest: `flow`, "fail" or "ok", its number, its operation (0 start, 1 append, 2 commit, 3 end, 4 ping). */
function fast(
  seq: number,
  operation: number,
  { id = "f", flow = 1, gap = "fail", headers = {} as Headers, subject = "s.a", body = `fast ${seq}` } = {},
): Step {
  return { subject, body, headers, fast: `${id}.${flow}.${gap}.${seq}.${operation}` };
}

const ABANDONED = ["$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.>"];

const ATOMIC: Readonly<Record<string, readonly Step[]>> = {
  "stores a batch, and answers at its end": [
    create(),
    ["s.b", "before"],
    part("b", 1),
    INFO,
    part("b", 2, "", { "X-Own": "header" }, "s.c"),
    ["s.b", "between"],
    part("b", 3, "1"),
    ...stored(5),
  ],
  "stores a batch that an empty message ends": [
    create(),
    part("b", 1),
    part("b", 2, "", { Own: "x" }),
    part("b", 3, "eob"),
    part("c", 1, "1"),
    ...stored(3),
  ],
  "refuses what is in no order": [
    create(),
    part("b", 2),
    part("b", 1),
    part("b", 3),
    part("b", 2),
    part("c", 1),
    part("c", 1),
    part("d", 1),
    part("d", 2, "2"),
    part("d", 2, "1"),
    part("e", 1, "eob"),
    part("f", 1, "", { "Nats-Required-Api-Level": "999" }),
    part("g", 1, "", { "Nats-Required-Api-Level": "1" }),
    part("g", 2, "1"),
    part("h", 1001),
    ["s.a", "x", { "Nats-Batch-Id": "i" }],
    part("x".repeat(65), 1),
    ...stored(2),
  ],
  "refuses batches where they are off, and gives up open ones": [
    create(),
    part("b", 1),
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], allow_atomic: false, allow_batched: true }],
    part("b", 2, "1"),
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], allow_atomic: true, allow_batched: true }],
    part("b", 2, "1"),
    part("b", 1, "1"),
    ...stored(1),
  ],
  "stores none when one is refused": [
    create({ allow_rollup_hdrs: true, allow_msg_ttl: true }),
    ["s.a", "x", { "Nats-Msg-Id": "one" }],
    part("b", 1),
    part("b", 2, "1", { "Nats-Msg-Id": "one" }),
    part("b", 1, "", { "Nats-Msg-Id": "two" }),
    part("b", 2, "1", { "Nats-Msg-Id": "two" }),
    part("b", 1, "", { "Nats-Expected-Last-Msg-Id": "one" }),
    part("b", 2, "1"),
    part("b", 1),
    part("b", 2, "1", { "Nats-Expected-Last-Sequence": "1" }),
    part("b", 1, "", { "Nats-Expected-Last-Sequence": "7" }),
    part("b", 2, "1"),
    part("b", 1, "", { "Nats-Expected-Last-Subject-Sequence": "9" }),
    part("b", 2, "1"),
    part("b", 1, "", {}, "s.z"),
    part("b", 2, "1", { "Nats-Rollup": "sub" }, "s.z"),
    part("b", 1, "", {}, "s.z"),
    part("b", 2, "1", { "Nats-Rollup": "all" }),
    part("b", 1, "", { "Nats-TTL": "x" }),
    part("b", 2, "1"),
    INFO,
  ],
  "knows the ids of a batch afterwards": [
    create(),
    part("b", 1, "", { "Nats-Msg-Id": "one" }),
    part("b", 2, "1", { "Nats-Msg-Id": "two" }),
    ["s.a", "again", { "Nats-Msg-Id": "one" }],
    ["s.a", "new", { "Nats-Expected-Last-Msg-Id": "two" }],
    part("c", 1, "1", { "Nats-Msg-Id": "two" }),
    ...stored(3),
  ],
  "holds to what was expected of the stream before the batch": [
    create(),
    ["s.a", "x"],
    ["s.b", "x"],
    part("b", 1, "", { "Nats-Expected-Last-Sequence": "2" }),
    part("b", 2, "", { "Nats-Expected-Last-Subject-Sequence": "2" }, "s.b"),
    part("b", 3, "1", {
      "Nats-Expected-Last-Subject-Sequence": "0",
      "Nats-Expected-Last-Subject-Sequence-Subject": "s.q",
    }),
    part("b", 1, "", { "Nats-Expected-Last-Subject-Sequence": "5" }),
    part("b", 2, "1"),
    part("b", 1, "", { "Nats-Expected-Last-Subject-Sequence": "5" }, "s.a"),
    part("b", 2, "1", { "Nats-Expected-Last-Subject-Sequence": "5" }, "s.a"),
    ...stored(6),
  ],
  "rolls up": [
    create({ allow_rollup_hdrs: true }),
    ...["s.a", "s.b", "s.a", "s.c"].map((subject): Step => [subject, "x"]),
    part("b", 1, "", {}, "s.b"),
    part("b", 2, "", { "Nats-Rollup": "sub" }, "s.a"),
    part("b", 3, "1", {}, "s.a"),
    ...stored(7),
    part("c", 1, "", { "Nats-Rollup": "all" }, "s.a"),
    part("c", 2, "1"),
    INFO,
  ],
  counts: [
    create({ allow_msg_counter: true, allow_batched: false }),
    ["s.a", "", { "Nats-Incr": "5" }],
    ...["1", "-3", "10"].map(
      (incr, i): Step => [
        i === 1 ? "s.b" : "s.a",
        "",
        {
          "Nats-Batch-Id": "b",
          "Nats-Batch-Sequence": String(i + 1),
          "Nats-Incr": incr,
          ...(i === 2 ? { "Nats-Batch-Commit": "1" } : ({} as Headers)),
        },
      ],
    ),
    ...stored(4),
  ],
  "keeps to the limits of the stream": [
    create({ max_msgs: 4, max_msgs_per_subject: 2, allow_rollup_hdrs: true }),
    ...["s.a", "s.b", "s.a"].map((subject): Step => [subject, "x"]),
    part("b", 1, "", { "Nats-Rollup": "sub" }, "s.a"),
    part("b", 2, "", {}, "s.b"),
    part("b", 3, "1", {}, "s.c"),
    ...stored(6),
    ...[1, 2, 3, 4, 5].map((seq) => part("c", seq, "", {}, `s.${seq % 2}`)),
    part("c", 6, "eob"),
    ...stored(11),
  ],
  "refuses a batch that there is no room for": [
    create({ max_msgs: 3, discard: "new" }),
    ["s.a", "x"],
    part("b", 1),
    part("b", 2),
    part("b", 3, "1"),
    part("c", 1),
    part("c", 2, "1"),
    INFO,
  ],
  "refuses a batch that a subject has no room for": [
    create({ max_msgs_per_subject: 2, discard: "new", discard_new_per_subject: true }),
    ["s.a", "x"],
    part("b", 1),
    part("b", 2),
    part("b", 3, "1", {}, "s.b"),
    part("c", 1),
    part("c", 2, "1", {}, "s.b"),
    INFO,
  ],
  "keeps to the size of messages": [
    create({ max_msg_size: 70 }),
    part("b", 1, "", { Own: "x".repeat(70) }),
    part("b", 1),
    part("b", 2, "1"),
    INFO,
  ],
  "refuses every TTL where there are none": [
    create(),
    ...["0", "00", "x", "", "5"].map((ttl, i) => part(`b${i}`, 1, "1", { "Nats-TTL": ttl })),
    ...stored(2),
  ],
  "sees to TTLs": [
    create({ allow_msg_ttl: true, subject_delete_marker_ttl: 60_000_000_000, allow_rollup_hdrs: true }),
    part("b", 1, "", { "Nats-TTL": "5" }),
    part("b", 2, "1", { "Nats-TTL": "never" }),
    ...stored(2),
    create(),
  ],
  "changes subjects": [
    create({ subject_transform: { src: "s.*", dest: "t.{{wildcard(1)}}" } }),
    part("b", 1, "", {}, "s.a"),
    part("b", 2, "1", { "Nats-Expected-Last-Subject-Sequence": "0" }, "s.b"),
    ...stored(2),
  ],
  "gives no answer where none are given": [
    create({ no_ack: true }),
    { subject: "s.a", headers: { "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "1" }, answers: 0 },
    {
      subject: "s.a",
      headers: { "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1" },
      answers: 0,
    },
    50,
    ...stored(2),
  ],
  "leaves out what nobody wants": [
    create({ retention: "interest" }),
    [
      "$JS.API.CONSUMER.CREATE.S.C",
      {
        stream_name: "S",
        config: { name: "C", durable_name: "C", filter_subject: "s.a", ack_policy: "explicit" },
      },
    ],
    part("b", 1, "", {}, "s.a"),
    part("b", 2, "", { "Nats-Msg-Id": "x" }, "s.b"),
    part("b", 3, "1", {}, "s.a"),
    ["s.b", "again", { "Nats-Msg-Id": "x" }],
    50,
    ...stored(4),
  ],
};

const FAST: Readonly<Record<string, readonly Step[]>> = {
  "takes messages, and says so now and then": [
    create(),
    fast(1, 0, { flow: 3 }),
    ...[2, 3, 4, 5, 6, 7].map((seq) => fast(seq, 1, { flow: 3 })),
    fast(7, 4),
    fast(8, 2, { headers: { "X-Own": "header" } }),
    ...stored(8),
  ],
  "ends by an empty message": [
    create(),
    fast(1, 0),
    fast(2, 1),
    fast(3, 3, { body: "" }),
    fast(4, 1),
    fast(1, 2, { id: "g" }),
    ...stored(3),
  ],
  "ends where something is missing": [create(), fast(1, 0), fast(2, 1), fast(5, 1), fast(6, 1), ...stored(3)],
  "goes on where something is missing": [
    create(),
    fast(1, 0, { gap: "ok" }),
    fast(4, 1, { gap: "ok" }),
    fast(9, 4, { gap: "ok" }),
    fast(10, 1, { gap: "ok" }),
    fast(12, 3, { gap: "ok", body: "" }),
    fast(1, 0, { id: "g", gap: "ok", flow: 10 }),
    fast(5, 2, { id: "g", gap: "ok", flow: 10 }),
    ...stored(6),
  ],
  "ends where something comes again": [
    create(),
    fast(1, 0, { gap: "ok" }),
    fast(2, 1, { gap: "ok" }),
    fast(2, 1, { gap: "ok" }),
    fast(3, 1, { gap: "ok" }),
    INFO,
  ],
  "hears pings": [
    create(),
    fast(1, 0, { flow: 4 }),
    fast(1, 4, { flow: 4 }),
    fast(2, 1, { flow: 4 }),
    fast(2, 4, { flow: 4 }),
    fast(9, 4, { flow: 4 }),
    fast(10, 4, { flow: 4 }),
    fast(1, 4, { id: "g" }),
    fast(2, 4, { id: "h" }),
    INFO,
  ],
  "knows what it has stored before": [
    create(),
    fast(1, 0, { headers: { "Nats-Msg-Id": "one" } }),
    fast(2, 1, { headers: { "Nats-Msg-Id": "one" } }),
    fast(3, 1, { headers: { "Nats-Msg-Id": "two" } }),
    fast(4, 2, { headers: { "Nats-Msg-Id": "two" } }),
    fast(1, 2, { id: "g", headers: { "Nats-Msg-Id": "two" } }),
    fast(1, 0, { id: "h", headers: { "Nats-Msg-Id": "two" } }),
    fast(2, 3, { id: "h", body: "" }),
    fast(1, 2, { id: "i", gap: "ok", headers: { "Nats-Msg-Id": "two" } }),
    ...stored(2),
  ],
  "refuses messages one by one": [
    create(),
    fast(1, 0, { headers: { "Nats-Expected-Last-Sequence": "7" } }),
    fast(2, 1),
    fast(1, 0, { gap: "ok", headers: { "Nats-Expected-Last-Sequence": "7" } }),
    fast(2, 1, { gap: "ok" }),
    fast(3, 1, { gap: "ok", headers: { "Nats-TTL": "5" } }),
    fast(4, 1, { gap: "ok" }),
    fast(5, 2, { gap: "ok", headers: { "Nats-Incr": "5" } }),
    fast(1, 0, { id: "g" }),
    fast(2, 1, { id: "g", headers: { "Nats-Rollup": "sub" } }),
    fast(3, 1, { id: "g" }),
    fast(1, 2, { id: "h", headers: { "Nats-Expected-Stream": "T" } }),
    ...stored(3),
  ],
  "refuses what is no batch": [
    create(),
    fast(2, 1),
    fast(1, 1),
    fast(2, 0),
    fast(1, 9),
    fast(1, 0, { gap: "maybe" }),
    fast(0, 0),
    fast(1, 3),
    fast(1, 0, { id: "x".repeat(65) }),
    { subject: "s.a", body: "x", fast: "5" },
    fast(1, 0, { headers: { "Nats-Required-Api-Level": "999" } }),
    fast(2, 1),
    fast(1, 0, { id: "g", headers: { "Nats-Required-Api-Level": "1" } }),
    fast(2, 3, { id: "g" }),
    ...stored(1),
  ],
  "refuses batches where they are off, and gives up open ones": [
    create(),
    fast(1, 0),
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"] }],
    fast(2, 1),
    fast(1, 0, { id: "g", headers: { "X-Own": "header" } }),
    ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], allow_batched: true }],
    fast(2, 1),
    ...stored(1),
  ],
  "goes on slowly where it is not alone": [
    create(),
    fast(1, 0, { id: "one", flow: 8 }),
    fast(1, 0, { id: "two", flow: 8 }),
    ...Array.from({ length: 20 }, (_, i) => fast(i + 2, 1, { id: "two", flow: 8 })),
    fast(22, 3, { id: "two" }),
    ...Array.from({ length: 10 }, (_, i) => fast(i + 2, 1, { id: "one", flow: 8 })),
    fast(12, 2, { id: "one" }),
    INFO,
  ],
  "keeps to the limits of the stream": [
    create({ max_msgs: 2, discard: "new", max_msg_size: 90 }),
    fast(1, 0, { gap: "ok" }),
    fast(2, 1, { gap: "ok", body: "x".repeat(91) }),
    fast(2, 1, { gap: "ok" }),
    fast(3, 1, { gap: "ok" }),
    fast(4, 2, { gap: "ok" }),
    ...stored(2),
  ],
  "keeps no more of a subject than it should, rolls up, counts for TTL": [
    create({ max_msgs_per_subject: 2, allow_rollup_hdrs: true, allow_msg_ttl: true }),
    fast(1, 0),
    fast(2, 1, { headers: { "Nats-TTL": "1h" } }),
    fast(3, 1),
    fast(4, 1, { headers: { "Nats-Rollup": "sub" } }),
    fast(5, 2, { subject: "s.b" }),
    ...stored(5),
  ],
  "answers all but refusals where there are no acknowledgements": [
    create({ no_ack: true }),
    fast(1, 0),
    fast(2, 1),
    fast(3, 2),
    fast(7, 1),
    50,
    ...stored(3),
  ],
  "changes subjects": [
    create({ subject_transform: { src: "s.*", dest: "t.{{wildcard(1)}}" } }),
    fast(1, 0),
    fast(2, 2, { subject: "s.b" }),
    ...stored(2),
  ],
};

for (const storage of ["file", "memory"]) {
  describe(`batches in ${storage}, as in nats-server`, () => {
    for (const [name, script] of Object.entries(ATOMIC)) {
      it(name, () =>
        both.same(
          script.map((step) => withStorage(step, storage)),
          ABANDONED,
        ),
      );
    }
  });
  describe(`fast ingest in ${storage}, as in nats-server`, () => {
    for (const [name, script] of Object.entries(FAST)) {
      it(name, () =>
        both.same(
          script.map((step) => withStorage(step, storage)),
          ABANDONED,
        ),
      );
    }
  });
}

describe("batches, as in nats-server", () => {
  it("publishes them again, each", () =>
    both.same(
      [
        create({ republish: { src: ">", dest: "again.>" }, allow_rollup_hdrs: true }),
        ["s.a", "x"],
        part("b", 1, "", {}, "s.a"),
        part("b", 2, "", { "Nats-Rollup": "sub" }, "s.b"),
        part("b", 3, "1", {}, "s.a"),
        50,
      ],
      ["again.>"],
    ));

  it("tells when one is given up because nothing is heard of it", () =>
    both.same([create(), part("b", 1), fast(1, 0), 10_500, part("b", 2, "1"), fast(2, 1), INFO], ABANDONED));

  it("takes so many at once, and no more", () =>
    both.same([
      create(),
      ...Array.from({ length: 52 }, (_, i) => part(`b${i}`, 1)),
      part("b0", 2, "1"),
      INFO,
    ]));

  it("does the same with random scripts", async () => {
    const pick = picker(7);
    const any: readonly Headers[] = [
      {},
      {},
      {},
      {},
      { "Nats-Msg-Id": "one" },
      { "Nats-Msg-Id": "two" },
      { "Nats-Rollup": "sub" },
      { "Nats-Rollup": "all" },
      { "Nats-TTL": "5" },
      { "Nats-Expected-Last-Sequence": "2" },
      { "Nats-Expected-Last-Subject-Sequence": "1" },
      { "Nats-Expected-Last-Subject-Sequence": "3", "Nats-Expected-Last-Subject-Sequence-Subject": "s.b" },
    ];
    const configs = [
      {},
      { allow_rollup_hdrs: true, allow_msg_ttl: true },
      { max_msgs: 5, allow_rollup_hdrs: true, max_msgs_per_subject: 2 },
      { max_msgs: 6, discard: "new" },
    ];
    for (let run = 0; run < 40; run++) {
      const steps: Step[] = [create({ ...configs[pick(4)], storage: pick(2) === 0 ? "file" : "memory" })];
      const next = new Map<string, number>();
      for (let i = 0; i < 25; i++) {
        const id = "bcd"[pick(3)];
        const seq = (next.get(id) ?? 0) + (pick(12) === 0 ? 2 : 1);
        next.set(id, seq);
        // Once a batch was refused, nats-server takes another sequence for the last one in fast ingest.
        const found = any[pick(any.length)];
        const headers = id !== "b" && "Nats-Expected-Last-Sequence" in found ? {} : found;
        const subject = `s.${"abc"[pick(3)]}`;
        const ends = pick(4) === 0;
        if (ends) next.delete(id);
        if (id === "b") steps.push(part(id, seq, ends ? ["1", "1", "eob"][pick(3)] : "", headers, subject));
        else {
          const operation = ends && seq > 1 ? 2 + pick(2) : ends ? 2 : seq === 1 ? 0 : 1;
          steps.push(
            fast(seq, operation, { id, gap: id === "c" ? "fail" : "ok", flow: 2, headers, subject }),
          );
        }
      }
      await both.same([...steps, INFO], ABANDONED);
    }
  });
});

function withStorage(step: Step, storage: string): Step {
  if (typeof step === "number" || "subject" in step || "restart" in step) return step;
  const [subject, body, headers] = step;
  if (!/STREAM\.(CREATE|UPDATE)/.test(subject) || typeof body !== "object") return step;
  return [subject, { ...body, storage }, headers];
}
