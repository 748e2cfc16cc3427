import { after, before, describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";

type Headers = Readonly<Record<string, string>>;

function create(config: Readonly<Record<string, unknown>> = {}): Step {
  const name = "S";
  const own = { allow_msg_schedules: true, allow_msg_ttl: true, allow_direct: true };
  const body = { name, subjects: ["s.>"], ...own, ...config };
  return ["$JS.API.STREAM.CREATE.S", body];
}

/** A message that schedules others on `s.target`. */
function schedule(pattern: string, headers: Headers = {}, subject = "s.plan"): Step {
  return [
    subject,
    `from ${subject}`,
    { "Nats-Schedule": pattern, "Nats-Schedule-Target": "s.target", "X-Own": "header", ...headers },
  ];
}

function at(wait: number): string {
  return `@at ${new Date(Date.now() + wait).toISOString()}`;
}

/** All that is stored, up to a sequence. */
function stored(through: number): Step[] {
  const gets = Array.from({ length: through }, (_, i) => get(i + 1));
  return [["$JS.API.STREAM.INFO.S", { deleted_details: true, subjects_filter: ">" }], ...gets];
}

/** A message, with its headers as they are. */
function get(seq: number): Step {
  return ["$JS.API.DIRECT.GET.S", { seq }];
}

/** Made when a test begins: times are near. */
const SCRIPTS: Readonly<Record<string, () => readonly Step[]>> = {
  "makes a message once": () => [create(), schedule(at(500)), ["s.other", "x"], 1_500, ...stored(4)],
  "makes a message that is overdue": () => [create(), schedule(at(-60_000)), 800, ...stored(3)],
  "makes a message again and again": () => [create(), schedule("@every 1s"), 2_500, ...stored(4)],
  "makes messages by the clock": () => [
    create(),
    schedule("0 0 0 1 1 *", {}, "s.far"),
    schedule("* * * * * *", { "Nats-Schedule-Time-Zone": "America/New_York" }),
    2_500,
    get(3),
  ],
  "takes the content from another subject": () => [
    create(),
    ["s.source", "old", { "X-Source": "a" }],
    ["s.source", "new", { "X-Source": "b", "Nats-Msg-Id": "x", "Nats-TTL": "1h" }],
    schedule(at(300), { "Nats-Schedule-Source": "s.source" }),
    schedule(at(300), { "Nats-Schedule-Source": "s.none" }, "s.plan2"),
    1_300,
    ...stored(6),
  ],
  "gives messages a TTL, and lets them roll up": () => [
    create(),
    ["s.target", "goes"],
    schedule(at(300), { "Nats-Schedule-TTL": "1h", "Nats-Schedule-Rollup": "sub" }),
    1_300,
    ...stored(3),
  ],
  "leaves out what would have messages refused": () => [
    create(),
    schedule(at(300), {
      "Nats-Msg-Id": "x",
      "Nats-TTL": "1h",
      "Nats-Expected-Stream": "S",
      "Nats-Expected-Last-Sequence": "0",
    }),
    1_300,
    ...stored(2),
  ],
  "has one schedule a subject": () => [
    create(),
    schedule(at(600)),
    schedule(at(900), { "X-Own": "second" }),
    1_900,
    ...stored(3),
  ],
  "ends a schedule by a message on its subject": () => [
    create(),
    schedule(at(600)),
    ["s.plan", "no schedule"],
    1_600,
    ...stored(3),
  ],
  "ends a schedule by what it could have made itself": () => [
    create(),
    schedule(at(600)),
    ["s.target", "done", { "Nats-Schedule-Next": "purge", "Nats-Scheduler": "s.plan" }],
    1_600,
    ...stored(3),
  ],
  "ends a schedule that is deleted, purged, or expires": () => [
    create(),
    schedule(at(1_900), {}, "s.one"),
    schedule(at(1_900), {}, "s.two"),
    schedule(at(1_900), { "Nats-TTL": "1" }, "s.three"),
    ["$JS.API.STREAM.MSG.DELETE.S", { seq: 1 }],
    ["$JS.API.STREAM.PURGE.S", { filter: "s.two" }],
    3_000,
    ["$JS.API.STREAM.INFO.S"],
  ],
  "changes subjects": () => [
    create({ subject_transform: { src: "s.*", dest: "t.{{wildcard(1)}}" } }),
    schedule(at(300)),
    1_300,
    ...stored(2),
  ],
  "makes messages for subjects that the stream has no more": () => [
    create(),
    schedule(at(700)),
    [
      "$JS.API.STREAM.UPDATE.S",
      { name: "S", subjects: ["t"], allow_msg_schedules: true, allow_msg_ttl: true },
    ],
    1_700,
    ...stored(2),
  ],
  "schedules in a batch": () => [
    create({ allow_atomic: true }),
    [
      "s.plan",
      "x",
      {
        "Nats-Schedule": at(300),
        "Nats-Schedule-Target": "s.target",
        "Nats-Batch-Id": "b",
        "Nats-Batch-Sequence": "1",
      },
    ],
    ["s.other", "x", { "Nats-Batch-Id": "b", "Nats-Batch-Sequence": "2", "Nats-Batch-Commit": "1" }],
    1_300,
    ...stored(3),
  ],
  "starts where schedules are allowed later": () => [
    create({ allow_msg_schedules: false, allow_rollup_hdrs: true }),
    ["s.a", "x"],
    [
      "$JS.API.STREAM.UPDATE.S",
      {
        name: "S",
        subjects: ["s.>"],
        allow_msg_schedules: true,
        allow_msg_ttl: true,
        allow_rollup_hdrs: true,
      },
    ],
    schedule(at(300)),
    1_300,
    ...stored(3),
  ],
};

// Nearly all of it is waiting.
describe("schedules", { concurrency: true }, () => {
  for (const storage of ["file", "memory"]) {
    describe(`in ${storage}, as in nats-server`, { concurrency: 1 }, () => {
      let both: Both;
      before(async () => {
        both = await Both.start();
      });
      after(() => both.close());

      for (const [name, script] of Object.entries(SCRIPTS)) {
        it(name, () =>
          both.same(async () => {
            // Times are rounded to seconds: far from where it is decided to which, and from where something is due.
            await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
            return script().map((step) => withStorage(step, storage));
          }),
        );
      }
    });
  }
});

function withStorage(step: Step, storage: string): Step {
  if (typeof step === "number" || "subject" in step || "restart" in step) return step;
  const [subject, body, headers] = step;
  if (!/STREAM\.(CREATE|UPDATE)/.test(subject) || typeof body !== "object") return step;
  return [subject, { ...body, storage }, headers];
}
