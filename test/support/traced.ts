import type { ServerOptions } from "../../src/server/options/types.ts";

/** Accounts that traces are tried in: the same as options and as configuration. */
export const TRACED_ACCOUNTS = {
  A: {
    users: [
      { user: "a", password: "x" },
      { user: "no-traces", password: "x", permissions: { publish: ["foo"], subscribe: { deny: ["foo"] } } },
      { user: "deaf", password: "x", permissions: { subscribe: { allow: [">"], deny: ["foo.x"] } } },
    ],
    mappings: { "m.*": "n.$1", loss: [{ destination: "loss", weight: 0 }] },
  },
  B: { users: [{ user: "b", password: "x" }] },
} satisfies ServerOptions["accounts"];

/** A scenario: what clients send, one after the other; whoever has subscribed to "t", "t.*" or "trace.b" gets traces. */
export interface TraceScenario {
  readonly name: string;
  readonly steps: readonly (readonly [on: string, send: string])[];
  /** How many traces come of it. */
  readonly traces: number;
}

const hello = (user: string, more = ""): string =>
  `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"user":"${user}","pass":"x"${more}}\r\n`;

/** An HPUB with these header lines. */
export function hpub(subject: string, headers: readonly string[], payload = "hi", reply = ""): string {
  const block = `${["NATS/1.0", ...headers].join("\r\n")}\r\n\r\n`;
  return `HPUB ${subject} ${reply === "" ? "" : `${reply} `}${block.length} ${block.length + payload.length}\r\n${block}${payload}\r\n`;
}

const DEST = "Nats-Trace-Dest: t";
const PARENT = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const watch = ["watch", `${hello("a")}SUB t 1\r\nSUB t.* 2\r\nSUB trace.b 3\r\n`] as const;
const watchB = ["watch", `${hello("b")}SUB t 1\r\nSUB trace.b 3\r\n`] as const;
const a = (send: string, more?: string) => ["a", `${hello("a", more)}${send}`] as const;

export const TRACE_SCENARIOS: readonly TraceScenario[] = [
  {
    name: "plain subscriptions, of several clients",
    traces: 1,
    steps: [
      watch,
      ["b", `${hello("a", ',"name":"second <&>"')}SUB foo 7\r\n`],
      a(`SUB foo.* 1\r\nSUB foo 2\r\n`, ',"name":"first"'),
      ["a", hpub("foo", [DEST, "B: 2", "b: 3", "A:  x ", "A: y", "7: seven", "empty:"])],
    ],
  },
  {
    name: "a queue group, and nobody else",
    traces: 1,
    steps: [watch, a(`SUB foo q 1\r\n`), ["a", hpub("foo", [DEST])]],
  },
  { name: "no interest", traces: 1, steps: [watch, a(""), ["a", hpub("foo", [DEST])]] },
  {
    name: "no interest in a request",
    traces: 1,
    steps: [watch, a("SUB in 1\r\n"), ["a", hpub("foo", [DEST], "hi", "in")]],
  },
  {
    name: "no echo",
    traces: 1,
    steps: [watch, a("SUB foo 1\r\nSUB foo q 2\r\n", ',"echo":false'), ["a", hpub("foo", [DEST])]],
  },
  {
    name: "a mapping",
    traces: 2,
    steps: [watch, a("SUB n.> 1\r\n"), ["a", hpub("m.1", [DEST])], ["a", hpub("loss", [DEST])]],
  },
  {
    name: "traced only, in all spellings",
    traces: 5,
    steps: [
      watch,
      a("SUB foo 1\r\nSUB foo q 2\r\nUNSUB 1 5\r\nSUB in 3\r\n"),
      ...["true", "TRUE", "1", "On", "yes"].map(
        (value) => ["a", hpub("foo", [DEST, `Nats-Trace-Only: ${value}`], value)] as const,
      ),
    ],
  },
  {
    name: "traced only, a request that nobody serves",
    traces: 1,
    steps: [watch, a("SUB in 3\r\n"), ["a", hpub("foo", [DEST, "Nats-Trace-Only: 1"], "hi", "in")]],
  },
  {
    name: "encodings",
    traces: 2,
    steps: [
      watch,
      a(""),
      ["a", hpub("foo", [DEST, "Accept-Encoding: GZIP, br"])],
      ["a", hpub("foo", [DEST, "Accept-Encoding: br"])],
    ],
  },
  {
    name: "messages that are refused",
    traces: 2,
    steps: [watch, a(""), ["a", hpub("_GR_.x", [DEST])], ["a", hpub("foo", [DEST], "hi", "_R_.x")]],
  },
  {
    name: "messages that are too large",
    traces: 2,
    steps: [
      watch,
      a(""),
      ["a", hpub("foo", ["A: b", DEST]).replace(/\d+\r/, "1048577\r")],
      ["b", hello("a")],
      ["b", `${hpub("foo", [DEST]).replace(/\d+\r/, "1048577\r").split("Nats")[0]}`],
      ["c", hello("a")],
      ["c", hpub("foo", [DEST, "Nats-Trace-Only: true"]).replace(/\d+\r/, "1048577\r")],
    ],
  },
  {
    name: "a destination that the client may not publish on: the message is refused too",
    traces: 0,
    steps: [
      watch,
      ["listens", `${hello("a")}SUB foo 1\r\n`],
      ["a", hello("no-traces")],
      ["a", hpub("foo", [DEST])],
      ["a", hpub("foo", ["Nats-Trace-Dest: _GR_.x"])],
      ["a", hpub("foo", [])],
    ],
  },
  {
    name: "a subject that the client may not publish on",
    traces: 1,
    steps: [
      ["watch", `${watch[1]}SUB foo 9\r\n`],
      ["b", hello("no-traces")],
      ["b", hpub("bar", ["Nats-Trace-Dest: foo"])],
    ],
  },
  {
    name: "a subscription that may not hear the subject",
    traces: 1,
    steps: [
      watch,
      ["b", `${hello("deaf")}SUB foo.* 1\r\nSUB foo.* q 2\r\n`],
      a(""),
      ["a", hpub("foo.x", [DEST])],
    ],
  },
  {
    name: "destinations that are none",
    traces: 0,
    steps: [
      watch,
      a("SUB foo 1\r\n"),
      ["a", hpub("foo", ["Nats-Trace-Dest: t.*"])],
      ["a", hpub("foo", ["Nats-Trace-Dest: t.*", "Nats-Trace-Only: true"])],
      ["a", hpub("foo", ["Nats-Trace-Dest: a b", "A: b"])],
      ["a", hpub("foo", ["nats-trace-dest: t"])],
      ["a", hpub("foo", ["Nats-Trace-Dest : t"])],
      ["a", hpub("foo", ["Nats-Trace-Dest:"])],
      ["a", hpub("foo", ["A: Nats-Trace-Dest: t"])],
      ["a", hpub("foo", ["Nats-Trace-Dest: trace disabled"])],
      ["a", hpub("foo", [DEST, "Nats-Trace-Dest: trace disabled"]).replace("1.0", "1.1")],
    ],
  },
  {
    name: "the header of an old origin account switches tracing off",
    traces: 0,
    steps: [
      watch,
      a("SUB foo 1\r\n"),
      ["a", hpub("foo", ["A: b", DEST, "Nats-Trace-Origin-Account: X", DEST, "C: d"])],
      ["a", hpub("foo", [DEST, "Nats-Trace-Origin-Account: X", "Nats-Trace-Only: 1"])],
    ],
  },
  {
    name: "traceparent where the account does not ask for it",
    traces: 0,
    steps: [watch, a("SUB foo 1\r\n"), ["a", hpub("foo", [PARENT])]],
  },
  {
    name: "traceparent where the account asks for it",
    traces: 3,
    steps: [
      watchB,
      ["b", `${hello("b")}SUB foo 1\r\n`],
      ["b", hpub("foo", ["A: b", PARENT])],
      ["b", hpub("foo", [PARENT.toUpperCase(), "Nats-Trace-Only: true"])],
      ["b", hpub("foo", [PARENT.replace(/01$/, "00")])],
      ["b", hpub("foo", [PARENT.replace(/01$/, "ff")])],
      ["b", hpub("foo", [PARENT.replace(/01$/, "1")])],
      ["b", hpub("foo", [PARENT, DEST])],
    ],
  },
  {
    name: "a destination that the traced message goes to as well",
    traces: 1,
    steps: [watch, a(""), ["a", hpub("t", [DEST, "Nats-Trace-Only: 1"])]],
  },
  {
    name: "a trace is not mapped",
    traces: 0,
    steps: [watch, a("SUB n.* 1\r\n"), ["a", hpub("foo", ["Nats-Trace-Dest: m.1"])]],
  },
];
