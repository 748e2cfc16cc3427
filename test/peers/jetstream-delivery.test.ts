import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compareScripts, type Step } from "../support/consumer-script.ts";
import { picker } from "../support/jetstream-script.ts";
import { RealServer } from "../support/real-server.ts";
import { compareTimedScripts } from "../support/timed-script.ts";

let folder: string;
let server: RealServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-js-"));
  server = await RealServer.start(["-js", "-sd", folder]);
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const SECOND = 1_000_000_000;
const INFO = ["request", "CONSUMER.INFO.S.c"] as const;
/** See docs/jetstream.md: where a message is given up or purged, the floor is not the same. */
const FLOOR = /"ack_floor":\{[^}]*\},/;
/** See docs/jetstream.md: what is left of what the consumer remembers, after its filters have changed. */
const PENDING = /"num_pending":\d+,|(?<=TIME\.)\d+/g;
const THREE = ["publish", "s.a", "s.b", "s.a"] as const;

const SCRIPTS: Readonly<Record<string, { script: readonly Step[]; stream?: object; except?: RegExp }>> = {
  "a batch, acknowledged out of order": {
    script: [
      THREE,
      ["create", "c", {}],
      INFO,
      ["pull", "p", "c", { batch: 3 }],
      INFO,
      ["ack", "p", 1, "+ACK"],
      INFO,
      ["ack", "p", 1, "+ACK"],
      ["ack", "p", 0],
      INFO,
      ["ack", "p", 2, "+OK"],
      INFO,
    ],
  },
  "a consumer begins anew, behind what is acknowledged and elsewhere": {
    script: [
      ["publish", "s.a", "s.b", "s.c", "s.d"],
      ["create", "c", {}],
      ["reset", "c"],
      ["pull", "p", "c", { batch: 3 }],
      ["ack", "p", 0],
      ["reset", "c"],
      INFO,
      ["pull", "q", "c", { batch: 4, expires: 100_000_000 }],
      ["ack", "p", 1],
      ["ack", "q", 1],
      INFO,
      ["wait", 150],
      ["reset", "c", { seq: 1 }],
      ["pull", "r", "c", { batch: 1 }],
      ["reset", "c", { seq: 9 }],
      INFO,
    ],
  },
  "where a consumer may not begin anew": {
    script: [
      ["publish", "s.a", "s.b", "s.c"],
      ["create", "c", { deliver_policy: "by_start_sequence", opt_start_seq: 2 }],
      ["reset", "c", { seq: 1 }],
      ["reset", "c", { seq: 3 }],
      ["create", "d", { deliver_policy: "last" }],
      ["reset", "d", { seq: 1 }],
      ["reset", "d"],
      ["create", "e", { ack_policy: "none" }],
      ["pull", "p", "e", { batch: 2 }],
      ["reset", "e", { seq: 2 }],
      ["reset", "e", { seq: "x" }],
      ["reset", "e", { seq: 0 }],
    ],
  },
  "everything up to a message is acknowledged": {
    script: [
      ["publish", "s.a", "s.b", "s.c", "s.d"],
      ["create", "c", { ack_policy: "all" }],
      ["pull", "p", "c", { batch: 4 }],
      ["ack", "p", 2],
      INFO,
      ["ack", "p", 1],
      INFO,
      ["ack", "p", 3, "+TERM"],
      INFO,
    ],
  },
  "nothing is acknowledged": {
    script: [
      THREE,
      ["create", "c", { ack_policy: "none" }],
      ["pull", "p", "c", "2"],
      INFO,
      ["pull", "q", "c", { batch: 5, no_wait: true }],
      INFO,
    ],
  },
  "as slowly as the messages came": {
    script: [
      ["publish", "s.1"],
      ["wait", 400],
      ["publish", "s.2"],
      ["create", "c", { replay_policy: "original" }],
      ["pull", "p", "c", { batch: 2, expires: 2_000_000_000 }],
      // What is about to be delivered is no longer pending there, so the consumer is looked at in the end.
      ["wait", 150],
      ["wait", 400],
      INFO,
    ],
  },
  "requests that do not want to wait": {
    script: [
      ["create", "c", {}],
      ["pull", "a", "c", { no_wait: true }],
      ["pull", "b", "c", { no_wait: true, batch: 5, expires: 100_000_000 }],
      ["wait", 150],
      THREE,
      ["pull", "d", "c", { no_wait: true, batch: 2 }],
      ["pull", "e", "c", { no_wait: true, batch: 5 }],
      ["pull", "f", "c", { no_wait: true, batch: 5, expires: 100_000_000 }],
      ["publish", "s.z"],
      ["wait", 150],
      INFO,
    ],
  },
  "requests that expire, with heartbeats": {
    script: [
      ["create", "c", {}],
      ["pull", "a", "c", { batch: 2, expires: 250_000_000, idle_heartbeat: 100_000_000 }],
      INFO,
      ["publish", "s.a"],
      ["wait", 350],
      INFO,
    ],
  },
  "bytes of a request": {
    script: [
      THREE,
      ["create", "c", {}],
      ["pull", "a", "c", { batch: 5, max_bytes: 120 }],
      ["pull", "b", "c", { batch: 5, max_bytes: 10 }],
      ["pull", "d", "c", { batch: 1, max_bytes: 500 }],
      INFO,
    ],
  },
  "several who wait, one of whom goes": {
    script: [
      ["create", "c", { max_waiting: 3 }],
      ["pull", "a", "c", { batch: 2 }],
      ["pull", "b", "c", { batch: 2 }],
      ["pull", "d", "c", { batch: 2 }],
      ["pull", "e", "c", { batch: 2 }],
      ["leave", "b"],
      INFO,
      ["publish", "s.1", "s.2", "s.3"],
      INFO,
      ["pull", "f", "c", { batch: 2 }],
      INFO,
    ],
  },
  "a wait that is over, as often as may be": {
    except: FLOOR,
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.>"],
      THREE,
      ["create", "c", { ack_wait: 500_000_000, max_deliver: 2 }],
      ["pull", "p", "c", { batch: 2 }],
      INFO,
      ["wait", 600],
      INFO,
      ["pull", "q", "c", { batch: 5 }],
      INFO,
      ["wait", 600],
      INFO,
      ["pull", "r", "c", { batch: 1 }],
      INFO,
    ],
  },
  "delivered once only": {
    except: FLOOR,
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.>"],
      THREE,
      ["create", "c", { ack_wait: 150_000_000, max_deliver: 1 }],
      ["pull", "p", "c", { batch: 2 }],
      ["wait", 250],
      INFO,
      ["ack", "p", 0],
      INFO,
    ],
  },
  "refused, terminated, in progress, and the next": {
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.>"],
      ["publish", "s.a", "s.b", "s.c", "s.d", "s.e"],
      ["create", "c", { ack_wait: 400_000_000 }],
      ["pull", "p", "c", { batch: 4 }],
      ["ack", "p", 0, "-NAK"],
      INFO,
      ["ack", "p", 1, "+TERM   no good "],
      INFO,
      ["ack", "p", 2, "+WPI"],
      ["ack", "p", 3, "+NXT"],
      ["pull", "q", "c", { batch: 1 }],
      INFO,
      ["ack", "p", 2, "nonsense"],
      INFO,
    ],
  },
  "refused with a delay": {
    script: [
      THREE,
      ["create", "c", { ack_wait: 2 * SECOND }],
      ["pull", "p", "c", { batch: 3 }],
      ["ack", "p", 0, "-NAK 200ms"],
      ["ack", "p", 1, '-NAK {"delay": 400000000}'],
      ["ack", "p", 2, "-NAK bogus"],
      ["pull", "q", "c", { batch: 5 }],
      INFO,
      ["wait", 300],
      INFO,
      ["wait", 250],
      INFO,
    ],
  },
  "waits that grow": {
    script: [
      ["publish", "s.a"],
      ["create", "c", { backoff: [100_000_000, 300_000_000], max_deliver: 4 }],
      ["pull", "p", "c", { batch: 9 }],
      ["wait", 180],
      INFO,
      ["wait", 180],
      INFO,
      ["wait", 180],
      INFO,
    ],
  },
  "no more than may be pending": {
    script: [
      ["publish", "s.1", "s.2", "s.3", "s.4"],
      ["create", "c", { max_ack_pending: 2 }],
      ["pull", "p", "c", { batch: 4 }],
      INFO,
      ["pull", "q", "c", { batch: 1, no_wait: true }],
      INFO,
      ["ack", "p", 0],
      INFO,
      ["ack", "p", 1],
      INFO,
    ],
  },
  "some subjects only": {
    script: [
      ["publish", "s.a.1", "s.b.1", "s.a.2", "s.c.1", "s.b.2"],
      ["create", "c", { filter_subjects: ["s.a.*", "s.c.>"] }],
      INFO,
      ["pull", "p", "c", { batch: 2 }],
      INFO,
      ["create", "c", { filter_subjects: ["s.b.*"] }],
      INFO,
      ["pull", "q", "c", { batch: 5, no_wait: true }],
      INFO,
    ],
  },
  "one subject": {
    script: [
      ["publish", "s.a", "s.b", "s.a", "s.b", "s.a"],
      ["create", "c", { filter_subject: "s.b" }],
      INFO,
      ["pull", "p", "c", { batch: 1 }],
      INFO,
      ["publish", "s.b", "s.a"],
      INFO,
      ["pull", "q", "c", { batch: 5 }],
      INFO,
    ],
  },
  "from the last": {
    script: [
      THREE,
      ["create", "c", { deliver_policy: "last" }],
      INFO,
      ["create", "d", { deliver_policy: "last", filter_subject: "s.b" }],
      ["create", "e", { deliver_policy: "last", filter_subject: "s.none" }],
      ["pull", "p", "c", "5"],
      ["pull", "q", "d", "5"],
      ["pull", "r", "e", "5"],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["request", "CONSUMER.INFO.S.e"],
    ],
  },
  "from the next": {
    script: [
      THREE,
      ["create", "c", { deliver_policy: "new" }],
      INFO,
      ["pull", "p", "c", "5"],
      ["publish", "s.x"],
      INFO,
    ],
  },
  "from a sequence": {
    script: [
      THREE,
      ["create", "c", { deliver_policy: "by_start_sequence", opt_start_seq: 2 }],
      ["create", "d", { deliver_policy: "by_start_sequence", opt_start_seq: 4 }],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["pull", "p", "c", "5"],
      ["pull", "q", "d", "5"],
      ["publish", "s.4", "s.5", "s.6"],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
    ],
  },
  "from a time": {
    script: [
      THREE,
      ["create", "c", { deliver_policy: "by_start_time", opt_start_time: "2001-01-01T00:00:00Z" }],
      ["create", "d", { deliver_policy: "by_start_time", opt_start_time: "2199-01-01T00:00:00Z" }],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["pull", "p", "c", "5"],
      ["pull", "q", "d", "5"],
      ["publish", "s.4"],
      INFO,
    ],
  },
  "the last on each subject": {
    script: [
      ["publish", "s.a", "s.b", "s.a", "s.c", "s.b", "s.a"],
      ["create", "c", { deliver_policy: "last_per_subject", filter_subject: "s.*" }],
      INFO,
      ["pull", "p", "c", "1"],
      INFO,
      ["publish", "s.b"],
      INFO,
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "the last on each subject, of fewer subjects than at first": {
    script: [
      ["publish", "s.a", "s.b", "s.a", "s.c", "s.b", "s.a", "s.d"],
      ["create", "c", { deliver_policy: "last_per_subject", filter_subject: "s.*" }],
      ["pull", "p", "c", "1"],
      ["create", "c", { deliver_policy: "last_per_subject", filter_subject: "s.a" }],
      INFO,
      ["publish", "s.c", "s.a"],
      ["pull", "q", "c", "2"],
      INFO,
      ["pull", "r", "c", "9"],
      INFO,
    ],
    except: PENDING,
  },
  "the last on each subject, of other subjects than at first": {
    script: [
      ["publish", "s.a", "s.b", "s.a", "s.c", "s.b", "s.a", "s.d"],
      ["create", "c", { deliver_policy: "last_per_subject", filter_subjects: ["s.a", "s.b"] }],
      ["create", "c", { deliver_policy: "last_per_subject", filter_subjects: ["s.b", "s.c"] }],
      INFO,
      ["pull", "p", "c", "9"],
      ["publish", "s.a", "s.b", "s.c"],
      INFO,
    ],
    except: PENDING,
  },
  "headers only": {
    script: [THREE, ["create", "c", { headers_only: true }], ["pull", "p", "c", "3"]],
  },
  "acknowledgements that are told": {
    script: [
      ["listen", "$JS.EVENT.METRIC.>"],
      THREE,
      ["create", "c", { sample_freq: "100%" }],
      ["pull", "p", "c", "3"],
      ["ack", "p", 1],
      ["ack", "p", 1],
    ],
  },
  "paused, and going on": {
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.PAUSE.>"],
      THREE,
      ["create", "c", { pause_until: "2199-01-01T00:00:00Z" }],
      INFO,
      ["pull", "o", "c", { batch: 1, expires: 100_000_000 }],
      INFO,
      ["wait", 150],
      ["request", "CONSUMER.PAUSE.S.c", {}],
      ["pull", "p", "c", "5"],
      ["publish", "s.y"],
      INFO,
      ["request", "CONSUMER.PAUSE.S.c", { pause_until: "2199-01-01T00:00:00Z" }],
      ["request", "CONSUMER.PAUSE.S.c", { pause_until: "2001-01-01T00:00:00Z" }],
    ],
  },
  "what goes from the stream": {
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"],
      ["publish", "s.1", "s.2", "s.3", "s.4", "s.5"],
      ["create", "c", {}],
      ["pull", "p", "c", "2"],
      ["remove", 4],
      INFO,
      ["remove", 1],
      INFO,
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "a purge": {
    script: [
      ["publish", "s.1", "s.2", "s.3", "s.4", "s.5"],
      ["create", "c", {}],
      ["create", "d", { filter_subject: "s.5" }],
      ["pull", "p", "c", "2"],
      ["purge", {}],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["publish", "s.6"],
      INFO,
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "a purge of all that one of two filters lets through": {
    script: [
      ["publish", "s.1"],
      ["create", "c", { filter_subjects: ["s.1", "s.2"], max_ack_pending: 1 }],
      ["create", "d", { filter_subjects: ["s.1", "s.2"] }],
      ["pull", "p", "c", "1"],
      ["publish", "s.1", "s.2"],
      ["purge", { filter: "s.2" }],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["ack", "p", 0, "+ACK"],
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "a purge of more than one of two filters lets through": {
    script: [
      ["publish", "s.a.1"],
      ["create", "c", { filter_subjects: ["s.a.1", "s.b.1"], max_ack_pending: 1 }],
      ["pull", "p", "c", "1"],
      ["publish", "s.b.1", "s.a.1"],
      ["purge", { filter: "s.a.*" }],
      INFO,
      ["ack", "p", 0, "+ACK"],
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "a purge of some": {
    except: FLOOR,
    script: [
      ["publish", "s.1", "s.2", "s.1", "s.2", "s.1"],
      ["create", "c", {}],
      ["create", "d", { filter_subject: "s.2" }],
      ["pull", "p", "c", "3"],
      ["purge", { filter: "s.1" }],
      INFO,
      ["request", "CONSUMER.INFO.S.d"],
      ["purge", { seq: 4 }],
      INFO,
      ["pull", "q", "c", "9"],
      INFO,
    ],
  },
  "deleted while somebody waits": {
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.>"],
      ["create", "c", {}],
      ["pull", "p", "c", "5"],
      ["request", "CONSUMER.NAMES.S"],
      ["request", "CONSUMER.DELETE.S.c"],
      ["request", "CONSUMER.DELETE.S.c"],
      ["request", "CONSUMER.NAMES.S"],
      INFO,
    ],
  },
  "limits of requests": {
    script: [
      ["create", "c", { max_batch: 5, max_expires: SECOND, max_bytes: 100 }],
      ["pull", "a", "c", "6"],
      ["pull", "b", "c", { expires: 2 * SECOND }],
      ["pull", "d", "c", { max_bytes: 101 }],
      ["pull", "e", "c", "{"],
    ],
  },
  "changes of a consumer": {
    script: [
      ["publish", "s.1", "s.2", "s.3", "s.4"],
      ["create", "c", { max_ack_pending: 1 }],
      ["pull", "p", "c", "4"],
      ["create", "c", { max_ack_pending: 3, description: "x" }],
      INFO,
      ["create", "c", { max_ack_pending: 3, ack_policy: "none" }],
      ["create", "c", { max_ack_pending: 3, deliver_subject: "d" }],
      INFO,
    ],
  },
  "pushed to a subject": {
    script: [
      THREE,
      ["create", "c", { deliver_subject: "d.c", ack_policy: "explicit" }],
      INFO,
      ["listen", "d.c"],
      INFO,
      ["ack", "d.c", 0],
      INFO,
      ["publish", "s.x"],
      ["leave", "d.c"],
      ["publish", "s.y"],
      INFO,
      ["pull", "p", "c", "1"],
    ],
  },
  "pushed to a group": {
    script: [
      THREE,
      ["create", "c", { deliver_subject: "d.g", deliver_group: "g", ack_policy: "none" }],
      ["listen", "d.g"],
      INFO,
      ["leave", "d.g"],
      ["listen", "d.g", "g"],
      INFO,
    ],
  },
  "pushed with heartbeats": {
    script: [
      ["listen", "d.h"],
      ["create", "c", { deliver_subject: "d.h", ack_policy: "none", idle_heartbeat: 200_000_000 }],
      ["publish", "s.a"],
      ["wait", 500],
    ],
  },
  overflow: {
    script: [
      ["publish", "s.1", "s.2", "s.3"],
      ["create", "c", { priority_policy: "overflow", priority_groups: ["g"] }],
      INFO,
      ["pull", "a", "c", { batch: 5, group: "g", min_pending: 3 }],
      INFO,
      ["pull", "b", "c", { batch: 5, group: "g", min_ack_pending: 2 }],
      INFO,
      ["pull", "d", "c", { batch: 1, group: "g" }],
      INFO,
      ["publish", "s.4", "s.5", "s.6", "s.7"],
      INFO,
    ],
  },
  "one client only": {
    script: [
      ["listen", "$JS.EVENT.ADVISORY.CONSUMER.>"],
      ["publish", "s.1", "s.2", "s.3"],
      [
        "create",
        "c",
        { priority_policy: "pinned_client", priority_groups: ["g"], priority_timeout: 300_000_000 },
      ],
      INFO,
      ["pull", "a", "c", { batch: 2, group: "g" }],
      INFO,
      ["pull", "b", "c", { batch: 2, group: "g" }],
      ["pull", "d", "c", { batch: 2, group: "g", id: "wrong" }],
      INFO,
      ["wait", 400],
      INFO,
      ["request", "CONSUMER.UNPIN.S.c", { group: "g" }],
      ["request", "CONSUMER.UNPIN.S.c", { group: "h" }],
      ["request", "CONSUMER.UNPIN.S.c", {}],
      INFO,
    ],
  },
  "an id where no client is pinned": {
    script: [
      ["create", "c", { priority_policy: "pinned_client", priority_groups: ["g"] }],
      ["pull", "a", "c", { batch: 1, group: "g", id: "wrong" }],
      ["publish", "s.1", "s.2"],
      INFO,
      ["pull", "b", "c", { batch: 2, group: "g" }],
      INFO,
    ],
  },
  "by priority": {
    script: [
      ["create", "c", { priority_policy: "prioritized", priority_groups: ["g"] }],
      ["pull", "a", "c", { batch: 2, group: "g", priority: 5 }],
      ["pull", "b", "c", { batch: 1, group: "g", priority: 1 }],
      ["pull", "d", "c", { batch: 1, group: "g", priority: 1 }],
      ["publish", "s.1", "s.2", "s.3", "s.4"],
      INFO,
    ],
  },
  "a work queue": {
    stream: { retention: "workqueue" },
    script: [
      ["publish", "s.1", "s.2", "s.3"],
      ["create", "c", {}],
      ["pull", "p", "c", "2"],
      ["ack", "p", 0],
      ["ack", "p", 0],
      INFO,
      ["ack", "p", 1, "+TERM"],
      INFO,
      ["pull", "q", "c", "2"],
      INFO,
    ],
  },
  "what is of interest, all before one acknowledged with it": {
    stream: { retention: "interest" },
    script: [
      ["create", "c", { ack_policy: "all" }],
      ["publish", "s.1", "s.2", "s.3"],
      ["pull", "p", "c", { batch: 3 }],
      ["ack", "p", 1, "+ACK"],
      INFO,
      // Finds one message that is left.
      ["create", "d", {}],
    ],
  },
};

for (const [name, { script, ...options }] of Object.entries(SCRIPTS)) {
  test(`${name}: the same on both`, async () => {
    assert.deepEqual(await compareTimedScripts(server, script, options), []);
  });
}

const CONFIGS: readonly object[] = [
  {},
  { ack_policy: "all" },
  { ack_policy: "none" },
  { filter_subject: "s.a" },
  { filter_subjects: ["s.a", "s.b.*"] },
  { max_ack_pending: 2 },
  { max_waiting: 2 },
  { deliver_policy: "last_per_subject", filter_subject: "s.>" },
];
const BODIES = ["", "+ACK", "+ACK", "-NAK", "+WPI", "+TERM", "+NXT"];

/** A script by chance, in which no time passes. */
function byChance(seed: number): (messages: (inbox: string) => number) => Step | undefined {
  const pick = picker(seed * 7_919);
  const inboxes: string[] = [];
  let left = 14;
  const config = CONFIGS[seed % CONFIGS.length];
  const first: Step[] = [
    ["publish", "s.a", "s.b.1", "s.c"],
    ["create", "c", config],
  ];
  return (messages) => {
    const begin = first.shift();
    if (begin !== undefined) return begin;
    if (left-- === 0) return undefined;
    const acknowledged = inboxes[pick(Math.max(1, inboxes.length))];
    switch (pick(6)) {
      case 0:
        return ["publish", ["s.a", "s.b.1", "s.c"][pick(3)]];
      case 1:
      case 2: {
        const inbox = `p${inboxes.length}`;
        inboxes.push(inbox);
        return ["pull", inbox, "c", { batch: 1 + pick(3), no_wait: pick(2) === 0 }];
      }
      case 3:
      case 4:
        if (acknowledged !== undefined && messages(acknowledged) > 0)
          return ["ack", acknowledged, pick(messages(acknowledged)), BODIES[pick(BODIES.length)]];
        return INFO;
      default:
        return INFO;
    }
  };
}

test("scripts by chance: the same on both", async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const differs = await compareScripts(server, byChance(seed), { except: FLOOR });
    assert.deepEqual(differs, [], `seed ${seed}`);
  }
});
