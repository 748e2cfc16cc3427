/** JetStream by account: who has it, what they may have, and how it is reached by its domain. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Both, type Step } from "../support/jetstream-both.ts";

const CONFIG = `
jetstream { store_dir: STORE, domain: hub, max_mem: 1MB, max_file: 1MB, limits { duplicate_window: "1m" } }
accounts {
  ALL { jetstream: enabled, users: [ { user: all, password: x } ] }
  SOME {
    jetstream { max_mem: 1000, max_file: 2000, max_streams: 2, max_consumers: 1, mem_max_stream_bytes: 900, disk_max_stream_bytes: 1900 }
    users: [ { user: some, password: x } ]
  }
  BYTES { jetstream { max_bytes: true }, users: [ { user: bytes, password: x } ] }
  NONE { users: [ { user: none, password: x } ] }
  SYS { users: [ { user: sys, password: x } ] }
}
system_account: SYS
`;

function create(name: string, config: object = {}): Step {
  return [`$JS.API.STREAM.CREATE.${name}`, { name, subjects: [`${name.toLowerCase()}.>`], ...config }];
}

const ASKED: readonly Step[] = [
  ["$JS.API.INFO"],
  ["$JS.API.STREAM.NAMES"],
  ["$JS.API.STREAM.LIST"],
  ["$JS.API.STREAM.INFO.S"],
  ["$JS.API.STREAM.DELETE.S"],
  ["$JS.API.STREAM.PURGE.S"],
  ["$JS.API.STREAM.MSG.GET.S", { seq: 1 }],
  ["$JS.API.CONSUMER.INFO.S.C"],
  ["$JS.API.CONSUMER.NAMES.S"],
  ["$JS.API.CONSUMER.LIST.S"],
  ["$JS.hub.API.INFO"],
];

const SCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  none: [...ASKED, create("S"), ["s.1", "x"], ["$JS.API.STREAM.LEADER.STEPDOWN.S"]],
  sys: [...ASKED, ["$JS.API.FOO"]],
  all: [
    ...ASKED,
    create("S", { allow_direct: true }),
    ["s.1", "x"],
    ["$JS.hub.API.STREAM.INFO.S"],
    ["$JS.hub.API.DIRECT.GET.S.s.1"],
    create("KV_B", { subjects: ["$KV.B.>"] }),
    ["$JS.hub.API.$KV.B.key", "x"],
    create("BIG", { max_bytes: 2_000_000 }),
    create("BIG", { max_bytes: 2_000_000, storage: "memory" }),
    create("HALF", { max_bytes: 600_000 }),
    create("OTHER", { max_bytes: 600_000 }),
    create("WINDOW", { duplicate_window: 120_000_000_000 }),
    create("WINDOW", { duplicate_window: 1_000_000_000 }),
    ["$JS.API.INFO"],
  ],
  some: [
    create("M", { storage: "memory", max_bytes: 950 }),
    create("M", { storage: "memory" }),
    ["m.1", "x".repeat(400)],
    ["m.1", "x".repeat(400)],
    ["m.1", "x".repeat(400)],
    ["$JS.API.INFO"],
    create("F"),
    ["f.1", "x".repeat(1_500)],
    ["f.1", "x".repeat(1_500)],
    create("THIRD"),
    ["$JS.API.STREAM.PURGE.F"],
    ["f.1", "x".repeat(1_500)],
    ["$JS.API.STREAM.DELETE.M"],
    create("R", { max_bytes: 1_000 }),
    create("R", { max_bytes: 1_000, max_consumers: 5 }),
    ["$JS.API.INFO"],
  ],
  bytes: [create("S"), create("S", { max_bytes: 100 }), ["s.1", "x"], ["$JS.API.INFO"]],
};

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** What stands for an account in subjects of the second form. */
function accountHash(account: string): string {
  const hash = createHash("sha256").update(account).digest();
  return Array.from(hash.subarray(0, 8), (byte) => DIGITS[byte % DIGITS.length]).join("");
}

/** Messages of a consumer are acknowledged by subjects of the second form: right ones, and those of others. */
function acknowledged(domain: string, account: string): readonly Step[] {
  const info: Step = ["$JS.API.CONSUMER.INFO.A.c"];
  const ack = (realm: string, stream: string, seq: number, more = ""): Step => [
    `$JS.ACK.${realm}.${stream}.c.1.${seq}.${seq}.1767323045123456789.0${more}`,
    "+ACK",
  ];
  const own = `${domain}.${accountHash(account)}`;
  return [
    create("A"),
    ["$JS.API.CONSUMER.CREATE.A.c", { stream_name: "A", config: { ack_policy: "explicit" } }],
    ...Array.from({ length: 4 }, (): Step => ["a.1", "x"]),
    ...Array.from({ length: 4 }, (): Step => ["$JS.API.CONSUMER.MSG.NEXT.A.c", "1"]),
    ack(own, "A", 1),
    info,
    ack(own, "A", 2, ".more.tokens"),
    info,
    ack(`${domain}.${accountHash("OTHER")}`, "A", 3),
    ack(`elsewhere.${accountHash(account)}`, "A", 3),
    ack(own, "B", 3),
    info,
    [`$JS.ACK.${own}.A.c.1.4.4.1767323045123456789`, "+ACK"],
    info,
  ];
}

describe("JetStream by account beside nats-server", () => {
  for (const [user, script] of Object.entries(SCRIPTS)) {
    it(`serves the account of "${user}"`, async () => {
      const both = await Both.start(CONFIG, { user, pass: "x" });
      try {
        const [real, ours] = both.infos();
        assert.deepEqual(ours, real);
        await both.same(script);
      } finally {
        await both.close();
      }
    });
  }

  const realms = [
    { domain: "hub", account: "ALL", config: CONFIG, user: { user: "all", pass: "x" } },
    { domain: "_", account: "$G", config: undefined, user: {} },
  ];
  for (const { domain, account, config, user } of realms) {
    it(`takes acknowledgements of ${account} in "${domain}" by subjects of the second form`, async () => {
      const both = await Both.start(config, user);
      try {
        await both.same(acknowledged(domain, account));
      } finally {
        await both.close();
      }
    });
  }
});
