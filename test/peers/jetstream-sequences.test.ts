import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Ask, Both, type Step } from "../support/jetstream-both.ts";

/** What only shows when several things are done one after the other: found with random scripts. */

let both: Both;
before(async () => {
  both = await Both.start();
});
after(() => both.close());

type Fields = Readonly<Record<string, unknown>>;

const create = (config: Fields = {}): Step => [
  "$JS.API.STREAM.CREATE.S",
  { name: "S", subjects: ["s.>"], storage: "memory", ...config },
];
const consumer = (config: Fields = {}): Step => [
  "$JS.API.CONSUMER.CREATE.S.c",
  { stream_name: "S", config: { durable_name: "c", ack_policy: "explicit", ...config } },
];
const info = (more: Fields = { subjects_filter: ">" }): Step => ["$JS.API.STREAM.INFO.S", more];
const purge = (what: Fields): Step => ["$JS.API.STREAM.PURGE.S", what];
const pull = (answers: number, more: Partial<Ask> & { body?: Fields }): Ask => ({
  subject: "$JS.API.CONSUMER.MSG.NEXT.S.c",
  answers,
  ...more,
});
const ofMessages = (subject: string, ...of: string[]): Step[] =>
  of.map((each): Step => [`${subject}.${each}`, each]);

describe("one thing after the other, as in nats-server", () => {
  // In files only once: nats-server may find in a stream what was in one of its name that has just been deleted.
  for (const storage of ["file", "memory"]) {
    it(`goes on at a message that is still to come after a purge up to it, in ${storage}`, () =>
      both.same([
        create({ storage }),
        purge({ seq: 3 }),
        info(),
        ...ofMessages("s", "a", "b"),
        consumer(),
        purge({ filter: ">", seq: 9 }),
        info(),
        ...ofMessages("s", "a", "b"),
        pull(2, { body: { batch: 2 } }),
        purge({ filter: "s.a", seq: 20 }),
        purge({ seq: 11 }),
        ...ofMessages("s", "a"),
        info(),
      ]));
  }

  it("has a mirror go on with its own numbers after that", () =>
    both.same([
      create(),
      ["$JS.API.STREAM.CREATE.M", { name: "M", storage: "memory", mirror: { name: "S" } }],
      ...ofMessages("s", "a"),
      { subject: "$JS.API.STREAM.INFO.M", until: /"last_seq":1,/ },
      purge({ seq: 6 }),
      ...ofMessages("s", "a", "b"),
      { subject: "$JS.API.STREAM.INFO.M", until: /"last_seq":7,/ },
      ["$JS.API.STREAM.MSG.GET.M", { seq: 6 }],
    ]));

  it("shows the first sequence that was asked for, be it 1", () =>
    both.same([create({ first_seq: 1 }), info(), ...ofMessages("s", "a"), info()]));

  it("delivers what a purge of some of a consumer's subjects has left", () =>
    both.same([
      create(),
      ...ofMessages("s", "1", "a.1", "a.1", "2"),
      consumer({ filter_subjects: ["s.*", "s.a.*"] }),
      purge({ filter: "s.a.>" }),
      pull(2, { body: { batch: 2, no_wait: true } }),
    ]));
  it("says where a page of subjects begins as it was asked", () =>
    both.same([
      create(),
      ...ofMessages("s", "a", "b"),
      ...[0, 1, 2, 9, -1].map((offset) => info({ subjects_filter: ">", offset })),
      info({ subjects_filter: "x", offset: 9 }),
    ]));

  it("tells whether there is nothing on subjects, or nothing from a sequence on", () =>
    both.same([
      create({ allow_direct: true }),
      ...ofMessages("s", "a", "b", "a"),
      ["$JS.API.DIRECT.GET.S", { multi_last: ["s.*"], seq: 3 }],
      ["$JS.API.DIRECT.GET.S", { multi_last: ["s.b"], seq: 3 }],
      ["$JS.API.DIRECT.GET.S", { multi_last: ["s.c"], seq: 1 }],
      ["$JS.API.DIRECT.GET.S", { multi_last: ["s.*"], seq: 9, batch: 2 }],
    ]));

  it("shows a consumer that begins anew as it is before messages come", () =>
    both.same(
      [
        create(),
        ...ofMessages("s", "a", "b"),
        consumer({ deliver_subject: "delivered" }),
        { subject: "$JS.API.CONSUMER.INFO.S.c", until: /"num_ack_pending":2,/ },
        ["$JS.API.CONSUMER.RESET.S.c", { seq: 1 }],
        { subject: "$JS.API.CONSUMER.INFO.S.c", until: /"num_ack_pending":2,/ },
        ["$JS.API.CONSUMER.RESET.S.c"],
      ],
      ["delivered"],
    ));

  it("does not count for who does not wait what was acknowledged before it came again", () =>
    both.same(
      [
        create(),
        ...ofMessages("s", "a", "b", "c"),
        consumer(),
        pull(1, { body: { batch: 1 } }),
        ["$JS.API.CONSUMER.PAUSE.S.c", { pause_until: "2199-01-02T03:04:05Z" }],
        ["$JS.ACK.S.c.1.1.1.1.0", "-NAK"],
        pull(0, { body: { batch: 3, expires: 60_000_000_000 }, reply: "waiting" }),
        ["$JS.ACK.S.c.1.1.1.1.0", "+ACK"],
        pull(1, { body: { batch: 1, no_wait: true } }),
      ],
      ["waiting"],
    ));

  it("lists consumers without the version of the server", () =>
    both.same([create(), consumer({ metadata: { its: "own" } }), ["$JS.API.CONSUMER.LIST.S"]]));

  it("tells of a pause with each request that leaves a consumer paused", () =>
    both.same(
      [
        create(),
        consumer({ pause_until: "2199-01-02T03:04:05Z" }),
        consumer({ pause_until: "2199-01-02T03:04:05Z", description: "another" }),
        consumer(),
        ["$JS.API.CONSUMER.PAUSE.S.c", {}],
        consumer({ description: "a third" }),
        info(),
      ],
      ["$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>"],
    ));

  it("tells of requests, but of no message that was got", async () => {
    const told: string[][] = [[], []];
    const subs = both.listen("$JS.EVENT.ADVISORY.API", (side, msg) => {
      const { subject, response } = JSON.parse(msg.string());
      told[side].push(`${subject} ${JSON.parse(response).error?.err_code ?? "done"}`);
    });
    await both.same([
      create(),
      ...ofMessages("s", "a"),
      ["$JS.API.STREAM.MSG.GET.S", { seq: 1 }],
      ["$JS.API.STREAM.MSG.GET.S", { seq: 2 }],
      purge({}),
    ]);
    for (const sub of subs) sub.unsubscribe();
    assert.deepEqual(told[1], told[0]);
    assert.ok(told[0].includes("$JS.API.STREAM.MSG.GET.S 10037"));
  });

  it("counts a message that is delivered again as one that waits, for pulls of what overflows", () =>
    both.same([
      create(),
      ...ofMessages("s", "a"),
      consumer({ priority_policy: "overflow", priority_groups: ["g"] }),
      pull(1, { body: { batch: 1, group: "g" }, ack: "-NAK" }),
      pull(1, { body: { batch: 1, group: "g", min_pending: 1, expires: 5_000_000_000 } }),
    ]));

  for (const storage of ["file", "memory"]) {
    it(`shows a first sequence once a stream is purged that never had a message, in ${storage}`, () =>
      both.same([
        create({ storage }),
        ...[{ seq: 1 }, { filter: "s.>" }, { keep: 1 }].flatMap((what) => [purge(what), info()]),
        ["$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["s.>"], storage, first_seq: 9 }],
        info(),
        purge({ filter: ">" }),
        info(),
        ["$JS.API.STREAM.LIST"],
        ...ofMessages("s", "a"),
        info(),
      ]));
  }

  it("tells what is wrong with a request to unpin before it looks for the stream", () =>
    both.same(
      ["", "{", {}, { group: "" }, { group: "a b" }, { group: "g" }].map((body) => [
        "$JS.API.CONSUMER.UNPIN.S.c",
        body,
      ]),
    ));

  it("lets none pass a request for less than no messages", () =>
    both.same(
      [
        create(),
        ...ofMessages("s", "a"),
        consumer({ pause_until: "2199-01-02T03:04:05Z" }),
        pull(1, { body: { batch: 1, no_wait: true } }),
        pull(0, { body: { batch: -1 }, reply: "held" }),
        pull(1, { body: { batch: 1, no_wait: true } }),
        pull(0, { body: { batch: 3 }, reply: "held" }),
        pull(1, { body: { batch: 1, no_wait: true } }),
        ["$JS.API.CONSUMER.INFO.S.c"],
      ],
      ["held"],
    ));

  it("checks what the first check of an update has put in, too", () => {
    const counter = { allow_msg_counter: true };
    const update = (of: Fields): Step => [
      "$JS.API.STREAM.UPDATE.S",
      { name: "S", subjects: ["s.>"], storage: "memory", subject_delete_marker_ttl: 5e9, ...of },
    ];
    return both.same([
      update(counter),
      create(counter),
      update({ ...counter, name: "T" }),
      update(counter),
      update({ ...counter, pedantic: true }),
      update({ ...counter, storage: "file" }),
      update({}),
      info(),
    ]);
  });
});
