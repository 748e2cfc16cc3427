import type { ServerOptions } from "../../src/server/options/types.ts";
import type { Exchange, Step } from "./exchanges.ts";

/** Mappings that {@link MAPPING_EXCHANGES} are run with. No two take one subject: nats-server draws the order they are tried in. */
export const MAPPINGS: NonNullable<ServerOptions["mappings"]> = {
  plain: "to.plain",
  chain: "plain",
  "wild.*.*": "w.$2.{{wildcard(1)}}",
  "rest.>": "other.rest.>",
  "strip.>": ">",
  "part.*": "p.{{partition(10,1)}}",
  "parts.*.*": "p.{{ Partition(7, 2, 1) }}",
  "whole.*.*": "p.{{partition(10)}}",
  "one.*": "r.{{random(1)}}",
  "left.*": "c.{{splitFromLeft(1,2)}}",
  "right.*": "c.{{splitFromRight(1,2)}}",
  "slices.*": "c.{{sliceFromLeft(1,2)}}.x.{{sliceFromRight(1,2)}}",
  "dashes.*": "c.{{split(1,-)}}",
  "ends.*": "{{left(1,2)}}.{{right(1,2)}}",
  "text.*": "m.a{{wildcard(1)}}.$x.$0",
  "café.*": "thé.{{splitFromLeft(1,1)}}",
  all: { destination: "sure", weight: 100 },
  none: { destination: "never", weight: 0 },
  empty: [],
  lost: [{ destination: "lost", weight: 0 }],
  apart: [
    { destination: "apart.a", weight: 0 },
    { destination: "apart.b", weight: 100 },
  ],
  clustered: [{ destination: "far", weight: 100, cluster: "EAST" }],
  near: [
    { destination: "far", weight: 100, cluster: "EAST" },
    { destination: "here", weight: 100 },
  ],
  reserved: "_GR_.x",
};

const PING = "PING\r\n";
const PONG = "PONG\r\n";
const HELLO =
  'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\nSUB > 1\r\nPING\r\n';

/** Published subjects, and what a subscription to everything hears; "" for nothing. */
const MAPPED: readonly [published: string, heard: string][] = [
  ["unmapped", "unmapped"],
  ["plain", "to.plain"],
  ["plain.more", "plain.more"],
  ["chain", "plain"],
  ["wild.a.b", "w.b.a"],
  ["wild.a", "wild.a"],
  ["wild.a.b.c", "wild.a.b.c"],
  ["wild.*.b", "w.b.*"],
  ["wild.a..b", ""],
  ["rest.a", "other.rest.a"],
  ["rest.a.b.c", "other.rest.a.b.c"],
  ["rest", "rest"],
  ["rest.", ""],
  ["rest.>", "other.rest.>"],
  ["strip.a.b", "a.b"],
  ["part.foo", "p.3"],
  ["part.baz", "p.0"],
  ["part.caf\u00c3\u00a9", "p.9"],
  ["parts.a.b", "p.6"],
  ["whole.foo.bar", "p.1"],
  ["one.x", "r.0"],
  ["left.abcde", "c.ab.cde"],
  ["left.ab", "c.ab"],
  ["right.abcde", "c.abc.de"],
  ["slices.abcde", "c.ab.cd.e.x.a.bc.de"],
  ["slices.abcd", "c.ab.cd.x.ab.cd"],
  ["dashes.-a--b-", "c.a.b"],
  ["dashes.ab", "c.ab"],
  ["ends.abc", "ab.bc"],
  ["text.v", "m.a{{wildcard(1)}}.$x.text"],
  ["caf\u00c3\u00a9.\u00c3\u00a9", "th\u00c3\u00a9.\u00c3.\u00a9"],
  ["all", "sure"],
  ["none", "none"],
  ["empty", "empty"],
  ["lost", ""],
  ["apart", "apart.b"],
  ["clustered", "clustered"],
  ["near", "here"],
];

const mapped: Step[] = MAPPED.flatMap(([published, heard]): Step[] => [
  ["a", `PUB ${published} 1\r\nx\r\n${PING}`, heard === "" ? PONG : `MSG ${heard} 1 1\r\nx\r\n${PONG}`],
]);

export const MAPPING_EXCHANGES: readonly Exchange[] = [
  // First, so that no client of another exchange is still there.
  {
    name: "nobody there is said of the subject it became",
    steps: [
      ["a", HELLO.replace("SUB > 1", "SUB inbox 1"), PONG],
      [
        "a",
        `PUB plain inbox 1\r\nx\r\n${PING}`,
        `HMSG inbox 1 40 40\r\nNATS/1.0 503\r\nNats-Subject: to.plain\r\n\r\n\r\n${PONG}`,
      ],
      [
        "a",
        `PUB lost inbox 1\r\nx\r\n${PING}`,
        `HMSG inbox 1 32 32\r\nNATS/1.0 503\r\nNats-Subject: \r\n\r\n\r\n${PONG}`,
      ],
    ],
  },
  { name: "what subjects become", steps: [["a", HELLO, PONG], ...mapped, ...mapped] },
  {
    name: "all of a message but its subject stays",
    steps: [
      ["a", HELLO, PONG],
      ["a", `PUB plain inbox.1 2\r\nhi\r\n${PING}`, `MSG to.plain 1 inbox.1 2\r\nhi\r\n${PONG}`],
      [
        "a",
        `HPUB plain inbox.1 19 21\r\nNATS/1.0\r\nA: bc\r\n\r\nhi\r\n${PING}`,
        `HMSG to.plain 1 inbox.1 19 21\r\nNATS/1.0\r\nA: bc\r\n\r\nhi\r\n${PONG}`,
      ],
      ["a", `PUB  plain   002\r\nhi\r\n${PING}`, `MSG to.plain 1 002\r\nhi\r\n${PONG}`],
      ["b", `CONNECT {"verbose":false,"headers":false}\r\nSUB to.> 5\r\n${PING}`, PONG],
      [
        "a",
        `HPUB plain 19 21\r\nNATS/1.0\r\nA: bc\r\n\r\nhi\r\n${PING}`,
        `HMSG to.plain 1 19 21\r\nNATS/1.0\r\nA: bc\r\n\r\nhi\r\n${PONG}`,
      ],
      ["b", PING, `MSG to.plain 5 2\r\nhi\r\n${PONG}`],
      // The next one is not mistaken for the one before.
      [
        "a",
        `PUB plain 1\r\nx\r\nPUB p 1\r\ny\r\n${PING}`,
        `MSG to.plain 1 1\r\nx\r\nMSG p 1 1\r\ny\r\n${PONG}`,
      ],
    ],
  },
  {
    name: "queue groups hear the subject it became, and not the one it was",
    steps: [
      [
        "a",
        `CONNECT {"verbose":false}\r\nSUB to.plain q 1\r\nSUB to.* q 2\r\nUNSUB 2\r\nSUB plain q 3\r\n${PING}`,
        PONG,
      ],
      ["a", `PUB plain 1\r\nx\r\n${PING}`, `MSG to.plain 1 1\r\nx\r\n${PONG}`],
    ],
  },
  {
    name: "what may be published is judged by what it becomes, pedantry by what was said",
    steps: [
      ["a", HELLO, PONG],
      [
        "a",
        `PUB reserved 1\r\nx\r\n${PING}`,
        `-ERR 'Permissions Violation for Publish to "_GR_.x"'\r\n${PONG}`,
      ],
      [
        "p",
        `CONNECT {"verbose":false,"pedantic":true}\r\nSUB > 1\r\nPUB wild.*.b 1\r\nx\r\n${PING}`,
        `-ERR 'Invalid Publish Subject'\r\nMSG w.b.* 1 1\r\nx\r\n${PONG}`,
      ],
    ],
  },
];

/** Accounts with mappings of their own, and a user who may publish on what a subject becomes only: the same as options and as configuration. */
export const ACCOUNTS: Pick<ServerOptions, "accounts"> = {
  accounts: {
    SHOP: {
      users: [
        { user: "shop", password: "x" },
        { user: "clerk", password: "x", permissions: { publish: ["sold.>"] } },
      ],
      mappings: { "buy.*": "sold.$1" },
    },
    PLAIN: { users: [{ user: "plain", password: "x" }] },
  },
};

const login = (user: string): string =>
  `CONNECT {"verbose":false,"pedantic":false,"user":"${user}","pass":"x"}\r\nSUB > 1\r\n${PING}`;

export const ACCOUNT_EXCHANGES: readonly Exchange[] = [
  {
    name: "mappings are of one account",
    steps: [
      ["shop", login("shop"), PONG],
      ["plain", login("plain"), PONG],
      ["shop", `PUB buy.tea 1\r\nx\r\n${PING}`, `MSG sold.tea 1 1\r\nx\r\n${PONG}`],
      ["plain", `PUB buy.tea 1\r\nx\r\n${PING}`, `MSG buy.tea 1 1\r\nx\r\n${PONG}`],
    ],
  },
  {
    name: "permissions are about what a subject becomes",
    steps: [
      ["clerk", login("clerk"), PONG],
      ["clerk", `PUB buy.tea 1\r\nx\r\n${PING}`, `MSG sold.tea 1 1\r\nx\r\n${PONG}`],
      ["clerk", `PUB buy 1\r\nx\r\n${PING}`, `-ERR 'Permissions Violation for Publish to "buy"'\r\n${PONG}`],
    ],
  },
];
