/** JetStream by account: who has it, what they may have, and how it is reached by its domain. */
import assert from "node:assert/strict";
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
});
