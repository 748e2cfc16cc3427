/** Which headers ask for a trace: the quick look never misses what the exact one finds, over bytes and in process. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { disableTracing, mayBeTraced, readTraceHeaders } from "../../src/broker/trace/trace-headers.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { fc } from "../support/protocol-check.ts";

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

function message(block: string): Message {
  const made = new Message(new Slab());
  made.setValue("foo", undefined, new TextEncoder().encode(block), "payload Nats-Trace-Dest: x\r\n");
  return made;
}

const block = (...lines: string[]): string => `NATS/1.0\r\n${lines.join("\r\n")}\r\n\r\n`;

describe("headers that ask for a trace", () => {
  for (const [lines, found] of [
    [["Nats-Trace-Dest: t"], { external: false, headers: { "Nats-Trace-Dest": ["t"] } }],
    [
      ["A:b", "Nats-Trace-Dest:\t t \t"],
      { external: false, headers: { A: ["b"], "Nats-Trace-Dest": ["t"] } },
    ],
    [
      ["A: b", "A: c", "a: d", "B:", ": e", "Nats-Trace-Dest: t"],
      { external: false, headers: { A: ["b", "c"], a: ["d"], "Nats-Trace-Dest": ["t"] } },
    ],
    [["nats-trace-dest: t"], undefined],
    [["Nats-Trace-Dest : t"], undefined],
    [["Nats-Trace-Dest: trace disabled"], undefined],
    [["Nats-Trace-Dest: t", "Nats-Trace-Dest: trace disabled"], undefined],
    [[`TraceParent: ${PARENT}-01`], { external: true, headers: { TraceParent: [`${PARENT}-01`] } }],
    [[`traceparent: ${PARENT}-00`], undefined],
    [[`traceparent: ${PARENT}-7f`], { external: true, headers: { traceparent: [`${PARENT}-7f`] } }],
    // The flags are read as a signed byte.
    [[`traceparent: ${PARENT}-81`], undefined],
    [[`traceparent: ${PARENT}-+1`], { external: true, headers: { traceparent: [`${PARENT}-+1`] } }],
    [[`traceparent: ${PARENT}-1`], undefined],
    [[`traceparent: ${PARENT}-01-00`], undefined],
    [
      [`traceparent: ${PARENT}-01`, "Nats-Trace-Dest: t"],
      { external: false, headers: { traceparent: [`${PARENT}-01`], "Nats-Trace-Dest": ["t"] } },
    ],
  ] as const) {
    it(lines.join(", "), () => {
      const read = readTraceHeaders(message(block(...lines)));
      assert.deepEqual(
        read && { external: read.external, headers: Object.fromEntries(read.headers) },
        found && { ...found, headers: { ...found.headers } },
      );
      if (read !== undefined) assert.ok(mayBeTraced(message(block(...lines)), read.external));
    });
  }

  it("must be headers of this version", () => {
    for (const start of ["NATS/1.1\r\n", "NATS/1.0 503\r\n", "nats/1.0\r\n", ""])
      assert.equal(readTraceHeaders(message(`${start}Nats-Trace-Dest: t\r\n\r\n`)), undefined);
  });

  it("are not sought in the payload, nor traceparent where the account does not ask for it", () => {
    assert.equal(mayBeTraced(message(block("A: b")), true), false);
    assert.equal(mayBeTraced(message(block(`traceparent: ${PARENT}-01`)), false), false);
  });

  it("are found by the quick look, whatever the block", () => {
    const piece = fc.constantFrom(
      "Nats-Trace-Dest",
      "Nats-Trace-Dest: t",
      `traceparent: ${PARENT}-01`,
      `TRACEPARENT: ${PARENT}-01`,
      "A: b",
      ":",
      " ",
      "\r\n",
      "\n",
      "\r",
      "N",
      "t",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = `NATS/1.0\r\n${pieces.join("")}`;
        const read = readTraceHeaders(message(text));
        if (read !== undefined) assert.ok(mayBeTraced(message(text), read.external), JSON.stringify(text));
      }),
    );
  });

  it("can be disabled for whoever the message goes to", () => {
    const disabled = disableTracing(block("A: b", "Nats-Trace-Dest: t", "C: d", "Nats-Trace-Dest: u"));
    assert.equal(disabled, block("A: b", "C: d", "Nats-Trace-Dest: trace disabled"));
    assert.equal(readTraceHeaders(message(disabled)), undefined);
  });
});
