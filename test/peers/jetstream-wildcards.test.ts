/** Messages whose own subject holds wildcards, which nats-server takes: what it is compared and rolled up with is all that matches. */
import { after, before, describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

type Headers = Readonly<Record<string, string>>;

const INFO: Step = ["$JS.API.STREAM.INFO.S", { deleted_details: true, subjects_filter: ">" }];
const BEFORE: Step[] = ["s.a", "s.b", "s.a.c", "s.b"].map((subject): Step => [subject, "x"]);

function create(config: object): Step {
  return ["$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s.>"], ...config }];
}

function expecting(seq: number): Headers {
  return { "Nats-Expected-Last-Subject-Sequence": String(seq) };
}

/** A batch of one message. */
function alone(headers: Headers): Headers {
  return { "Nats-Batch-Id": "A", "Nats-Batch-Sequence": "1", "Nats-Batch-Commit": "1", ...headers };
}

const SUB = { "Nats-Rollup": "sub" };

const SCRIPTS: Readonly<Record<string, readonly [config: object, ...steps: Step[]]>> = {
  "expect the last sequence of all that matches": [
    {},
    ["s.*", "of none", expecting(0)],
    ...BEFORE,
    ["s.*", "wrong", expecting(2)],
    ["s.*", "right", expecting(5)],
    ["s.*", "its own", expecting(6)],
    ["s.a.>", "below", expecting(4)],
    ["s.>", "all", expecting(8)],
    ["s.a", "named", { ...expecting(7), "Nats-Expected-Last-Subject-Sequence-Subject": "s.*" }],
    ["s.b", "no wildcard", expecting(5)],
  ],
  "roll up all that matches": [
    { allow_rollup_hdrs: true },
    ...BEFORE,
    ["s.*", "first", SUB],
    INFO,
    ...BEFORE,
    ["s.*", "second", SUB],
    INFO,
    ["s.>", "third", SUB],
    INFO,
    ["s.a.*", "of none", SUB],
  ],
  "roll up all that matches, and are not wanted themselves": [
    { allow_rollup_hdrs: true, retention: "interest" },
    [
      "$JS.API.CONSUMER.CREATE.S.C",
      {
        stream_name: "S",
        config: { name: "C", durable_name: "C", ack_policy: "explicit", filter_subject: "s.b" },
      },
    ],
    ...BEFORE,
    ["s.a.*", "of none", SUB],
    INFO,
    ["s.*", "of all", SUB],
  ],
  "do both in batches": [
    { allow_atomic: true, allow_rollup_hdrs: true },
    ...BEFORE,
    ["s.*", "wrong", alone(expecting(2))],
    ["s.*", "right", alone(expecting(4))],
    INFO,
    ["s.*", "rolls", alone(SUB)],
    INFO,
  ],
  "count on from the last that matches": [
    { allow_msg_counter: true, allow_direct: true },
    ["s.a", "", { "Nats-Incr": "5" }],
    ["s.b", "", { "Nats-Incr": "7" }],
    ["s.*", "", { "Nats-Incr": "1" }],
    ["s.a", "", { "Nats-Incr": "1" }],
  ],
  "are limited by themselves": [{ max_msgs_per_subject: 1 }, ...BEFORE, ["s.*", "one"], ["s.*", "two"], INFO],
};

describe("messages with wildcards in their subject", () => {
  for (const storage of ["file", "memory"])
    for (const [name, [config, ...steps]] of Object.entries(SCRIPTS))
      it(`${name}, in ${storage}`, () => both.same([create({ ...config, storage }), ...steps, INFO]));
});
