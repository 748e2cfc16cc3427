import { after, before, describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

function create(name: string, config: Readonly<Record<string, unknown>>): Step {
  return [`$JS.API.STREAM.CREATE.${name}`, { name, ...config }];
}

function update(name: string, config: Readonly<Record<string, unknown>>): Step {
  return [`$JS.API.STREAM.UPDATE.${name}`, { name, ...config }];
}

const info = (name: string): Step => [
  `$JS.API.STREAM.INFO.${name}`,
  { deleted_details: true, subjects_filter: ">" },
];

/** Waits until a stream's info matches. */
const until = (name: string, pattern: RegExp): Step => ({
  subject: `$JS.API.STREAM.INFO.${name}`,
  until: pattern,
});

/** Waits until a stream has had so many messages. */
const reached = (name: string, seq: number): Step => until(name, new RegExp(`"last_seq":${seq}[,}]`));

/** All that a stream has up to a sequence. */
const messages = (name: string, seq: number): Step[] =>
  Array.from({ length: seq }, (_, i): Step => [`$JS.API.STREAM.MSG.GET.${name}`, { seq: i + 1 }]);

function publishes(subject: string, count: number): Step[] {
  return Array.from({ length: count }, (_, i): Step => [`${subject}.${(i % 3) + 1}`, `${subject} ${i + 1}`]);
}

const O = create("O", { subjects: ["o.>"] });

const SCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  "a mirror is the same, sequence by sequence, gaps too": [
    O,
    ...publishes("o", 6),
    ["$JS.API.STREAM.MSG.DELETE.O", { seq: 1 }],
    ["$JS.API.STREAM.MSG.DELETE.O", { seq: 3 }],
    ["$JS.API.STREAM.MSG.DELETE.O", { seq: 4 }],
    create("M", { mirror: { name: "O" } }),
    reached("M", 6),
    info("M"),
    ...messages("M", 7),
    ["o.1", "later", { Own: "header", "Nats-Msg-Id": "7", "Nats-Expected-Last-Sequence": "6" }],
    reached("M", 7),
    ["$JS.API.STREAM.MSG.DELETE.O", { seq: 7 }],
    ["o.2", "after a gap"],
    reached("M", 8),
    ...messages("M", 8),
    info("M"),
    ["$JS.API.CONSUMER.NAMES.O"],
    info("O"),
    ["m", "nobody takes it"],
  ],
  "a mirror begins where it is told, with its filter and transforms": [
    O,
    ...publishes("o", 9),
    create("M", { mirror: { name: "O", opt_start_seq: 4 } }),
    reached("M", 9),
    info("M"),
    create("F", { mirror: { name: "O", filter_subject: "o.2" } }),
    until("F", /"messages":3[,}]/),
    info("F"),
    ...messages("F", 9),
    create("T", {
      mirror: {
        name: "O",
        subject_transforms: [
          { src: "o.1", dest: "t.one" },
          { src: "o.3", dest: "" },
        ],
      },
    }),
    until("T", /"messages":6[,}]/),
    info("T"),
    ...messages("T", 9),
    create("P", { mirror: { name: "O", opt_start_time: "2100-01-01T00:00:00Z" } }),
    until("P", /"last_seq":9/),
    info("P"),
  ],
  "a mirror becomes a stream": [
    O,
    ...publishes("o", 3),
    create("M", { mirror: { name: "O" } }),
    reached("M", 3),
    update("M", { mirror: { name: "O", filter_subject: "x" } }),
    update("M", { subjects: ["m.>"] }),
    ["m.1", "own"],
    ["o.1", "not any more"],
    info("M"),
    ...messages("M", 5),
  ],
  "the TTL of a message counts in a copy that allows it, from when it does": [
    create("O", { subjects: ["o.>"], allow_msg_ttl: true }),
    create("M", { mirror: { name: "O" } }),
    create("S", { sources: [{ name: "O" }], storage: "file" }),
    create("T", { sources: [{ name: "O" }], allow_msg_ttl: true }),
    create("A", { sources: [{ name: "O" }], max_age: 3e9 }),
    ["o.1", "short", { "Nats-TTL": "1" }],
    ["o.2", "for ever", { "Nats-TTL": "never" }],
    reached("M", 2),
    reached("S", 2),
    reached("T", 2),
    reached("A", 2),
    2200,
    ...["O", "M", "S", "T", "A"].map(info),
    2500,
    info("A"),
    {
      subject: "$JS.API.STREAM.UPDATE.S",
      body: { name: "S", storage: "file", sources: [{ name: "O" }], allow_msg_ttl: true },
      until: /"allow_msg_ttl":true/,
    },
    until("S", /"messages":1[,}]/),
    info("S"),
  ],
  "sources: several, with filters and transforms, one twice": [
    O,
    create("P", { subjects: ["p.>"] }),
    ...publishes("o", 4),
    ...publishes("p", 4),
    create("S", { sources: [{ name: "O" }] }),
    reached("S", 4),
    info("S"),
    ...messages("S", 4),
    ["o.1", "more", { "Nats-Msg-Id": "x", "Nats-Expected-Stream": "O", Own: "h" }],
    reached("S", 5),
    ...messages("S", 5),
    create("T", {
      subjects: ["t"],
      sources: [{ name: "O", filter_subject: "o.1" }],
    }),
    until("T", /"messages":3[,}]/),
    update("T", {
      subjects: ["t"],
      sources: [
        { name: "O", filter_subject: "o.1" },
        {
          name: "O",
          subject_transforms: [
            { src: "o.2", dest: "two" },
            { src: "o.3", dest: "three.{{wildcard(1)}}" },
          ],
        },
      ],
    }),
    update("T", {
      subjects: ["t"],
      sources: [
        { name: "O", filter_subject: "o.1" },
        { name: "O", subject_transforms: [{ src: "o.2", dest: "two" }] },
      ],
    }),
    until("T", /"messages":4[,}]/),
    ["t", "own"],
    ...messages("T", 5),
    info("T"),
    update("T", { subjects: ["t"], sources: [{ name: "P", filter_subject: "p.2", opt_start_seq: 2 }] }),
    until("T", /"messages":6[,}]/),
    ["o.1", "not any more"],
    ...messages("T", 6),
    info("T"),
  ],
  "a source of a stream that has sources": [
    O,
    create("P", {
      sources: [{ name: "O", subject_transforms: [{ src: "o.*", dest: "p.{{wildcard(1)}}" }] }],
    }),
    create("S", { sources: [{ name: "P" }], subject_transform: { src: "p.1", dest: "first" } }),
    ...publishes("o", 3),
    reached("S", 3),
    ...messages("P", 3),
    ...messages("S", 3),
  ],
  "a source that is a work queue: what is stored is acknowledged": [
    create("O", { subjects: ["o.>"], retention: "workqueue" }),
    ...publishes("o", 5),
    create("S", { sources: [{ name: "O" }] }),
    reached("S", 5),
    until("O", /"messages":0[,}]/),
    info("O"),
    ...messages("S", 5),
    ["o.1", "more"],
    reached("S", 6),
    until("O", /"messages":0[,}]/),
    ["$JS.API.STREAM.DELETE.S"],
    until("O", /"consumer_count":0/),
    ["$JS.API.CONSUMER.NAMES.O"],
  ],
  "through consumers that there are": [
    create("O", { subjects: ["o.>"], retention: "workqueue" }),
    [
      "$JS.API.CONSUMER.CREATE.O.C",
      {
        stream_name: "O",
        config: {
          name: "C",
          durable_name: "C",
          deliver_subject: "d.c",
          ack_policy: "flow_control",
          max_ack_pending: 100,
        },
      },
    ],
    ...publishes("o", 5),
    create("S", { sources: [{ name: "O", consumer: { name: "C", deliver_subject: "d.c" } }] }),
    reached("S", 5),
    until("O", /"messages":0[,}]/),
    ...messages("S", 5),
    ["o.1", "more"],
    reached("S", 6),
    info("S"),
    ["$JS.API.STREAM.DELETE.S"],
    ["$JS.API.CONSUMER.NAMES.O"],
    create("P", { subjects: ["p.>"] }),
    [
      "$JS.API.CONSUMER.CREATE.P.M",
      {
        stream_name: "P",
        config: {
          name: "M",
          durable_name: "M",
          deliver_subject: "d.m",
          ack_policy: "flow_control",
          max_ack_pending: 100,
        },
      },
    ],
    ...publishes("p", 3),
    create("M", { mirror: { name: "P", consumer: { name: "M", deliver_subject: "d.m" } } }),
    reached("M", 3),
    ...messages("M", 3),
    info("M"),
    create("T", { sources: [{ name: "P", consumer: { name: "NONE", deliver_subject: "d.n" } }] }),
  ],
  "a source that keeps what is of interest": [
    create("O", { subjects: ["o.>"], retention: "interest" }),
    create("S", { sources: [{ name: "O", filter_subject: "o.2" }] }),
    until("O", /"consumer_count":1/),
    ...publishes("o", 5),
    reached("S", 2),
    until("O", /"messages":0[,}]/),
    info("O"),
    ...messages("S", 2),
  ],
  "limits of the copy": [
    O,
    ...publishes("o", 9),
    create("S", { max_msgs: 4, sources: [{ name: "O" }] }),
    create("M", { max_msgs_per_subject: 1, mirror: { name: "O" } }),
    reached("S", 9),
    reached("M", 9),
    info("S"),
    info("M"),
    create("D", { max_msgs: 4, discard: "new", sources: [{ name: "O" }] }),
    reached("D", 4),
    ...messages("D", 5),
    ["$JS.API.STREAM.MSG.DELETE.D", { seq: 1 }],
    reached("D", 5),
    ...messages("D", 5),
    ["$JS.API.STREAM.PURGE.D"],
    reached("D", 9),
    ...messages("D", 9),
  ],
  "ids matter to those only that ask for it": [
    create("O", { subjects: ["o.>"] }),
    create("P", { subjects: ["p.>"] }),
    ["o.1", "a", { "Nats-Msg-Id": "1" }],
    create("S", { sources: [{ name: "O" }, { name: "P" }] }),
    reached("S", 1),
    ["p.1", "b", { "Nats-Msg-Id": "1" }],
    ["p.1", "c", { "Nats-Msg-Id": "2" }],
    reached("S", 3),
    ...messages("S", 3),
    create("T", { duplicate_window: 60_000_000_000, sources: [{ name: "O" }] }),
    reached("T", 1),
    update("T", { duplicate_window: 60_000_000_000, sources: [{ name: "O" }, { name: "P" }] }),
    reached("T", 2),
    ...messages("T", 3),
    info("T"),
  ],
  "headers that ask for something": [
    create("O", { subjects: ["o.>"], allow_msg_ttl: true, allow_rollup_hdrs: true }),
    ["o.1", "a", { "Nats-TTL": "1h" }],
    ["o.1", "b", { "Nats-TTL": "never" }],
    ["o.2", "c"],
    ["o.2", "d", { "Nats-Rollup": "sub" }],
    create("S", { sources: [{ name: "O" }] }),
    create("T", { allow_msg_ttl: true, allow_rollup_hdrs: true, sources: [{ name: "O" }] }),
    create("M", { allow_msg_ttl: true, mirror: { name: "O" } }),
    reached("S", 3),
    reached("T", 3),
    reached("M", 4),
    ["o.1", "e", { "Nats-Rollup": "sub" }],
    reached("S", 4),
    reached("T", 4),
    reached("M", 5),
    ...messages("S", 5),
    ...messages("T", 5),
    ...messages("M", 5),
    info("T"),
  ],
  "a TTL holds only where streams allow it": [
    create("O", { subjects: ["o.>"], allow_msg_ttl: true }),
    create("S", { sources: [{ name: "O" }] }),
    create("M", { mirror: { name: "O" }, storage: "memory" }),
    create("T", { allow_msg_ttl: true, sources: [{ name: "O" }] }),
    // When the second has expired, the first has been due for long.
    ...["a", "b"].flatMap((data, i): Step[] => [
      ["o.1", data, { "Nats-TTL": "1s" }],
      reached("T", i + 1),
      reached("M", i + 1),
      until("O", /"messages":0[,}]/),
      until("T", /"messages":0[,}]/),
    ]),
    info("S"),
    info("M"),
    ...messages("S", 2),
    ...messages("M", 2),
    info("T"),
  ],
  "counters add up": [
    create("O", { subjects: ["c.o.>"], allow_msg_counter: true, allow_direct: true }),
    create("P", { subjects: ["c.p.>"], allow_msg_counter: true, allow_direct: true }),
    create("S", {
      allow_msg_counter: true,
      allow_direct: true,
      sources: [
        { name: "O", subject_transforms: [{ src: "c.o.>", dest: "c.>" }] },
        { name: "P", subject_transforms: [{ src: "c.p.>", dest: "c.>" }] },
      ],
    }),
    ["c.o.x", "", { "Nats-Incr": "2" }],
    reached("S", 1),
    ["c.p.x", "", { "Nats-Incr": "3" }],
    reached("S", 2),
    ["c.o.x", "", { "Nats-Incr": "-7" }],
    reached("S", 3),
    ...messages("S", 3),
  ],
  "a mirror answers gets in place of its origin": [
    create("O", { subjects: ["o.>"], allow_direct: true }),
    ...publishes("o", 3),
    create("M", { mirror: { name: "O" }, mirror_direct: true }),
    reached("M", 3),
    update("O", { subjects: ["o.>"] }),
    { subject: "$JS.API.DIRECT.GET.O", body: { seq: 2 }, until: /Nats-Stream: M/ },
    ["$JS.API.DIRECT.GET.O", { seq: 2 }],
    ["$JS.API.DIRECT.GET.O.o.3"],
    ["$JS.API.DIRECT.GET.M", { seq: 2 }],
    info("M"),
  ],
  "an origin that is not there, and comes": [
    create("S", { sources: [{ name: "O" }] }),
    create("M", { mirror: { name: "O" } }),
    until("S", /"error":\{[^}]*10059/),
    until("M", /"error":\{[^}]*10059/),
  ],
  "cycles, and other mistakes": [
    O,
    create("A", { sources: [{ name: "O" }] }),
    create("B", { sources: [{ name: "A" }] }),
    update("O", { subjects: ["o.>"], sources: [{ name: "B" }] }),
    create("M", { mirror: { name: "M" } }),
    create("N", { subjects: ["n"], mirror: { name: "O" } }),
    create("N", { sources: [{ name: "O" }, { name: "O" }] }),
    create("N", {
      sources: [{ name: "O", filter_subject: "a", subject_transforms: [{ src: "a", dest: "b" }] }],
    }),
    create("N", { mirror: { name: "O", external: { api: "$JS.API", deliver: "x" } } }),
  ],
};

describe("mirrors and sources are as those of nats-server", () => {
  for (const storage of ["memory", "file"]) {
    for (const [name, script] of Object.entries(SCRIPTS)) {
      it(`${storage}: ${name}`, () => both.same(script.map((step) => stored(step, storage))));
    }
  }
});

/** The step with the streams that it makes kept like this. */
function stored(step: Step, storage: string): Step {
  if (!Array.isArray(step) || !/STREAM\.(CREATE|UPDATE)/.test(step[0])) return step;
  return [step[0], { storage, ...step[1] }, step[2]];
}
