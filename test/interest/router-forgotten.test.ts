/** A route is never answered that an interest has changed, also when only one of the router's memories still has it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Router } from "../../src/interest/router.ts";
import type { Interest } from "../../src/interest/subject-tree.ts";
import { hashText } from "../../src/protocol/hash.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";

const interest = (subject: string): Interest => ({ subject, queue: undefined, slot: 0 });

function wire(subject: string): Message {
  const message = new Message(new Slab());
  message.setWire(new TextEncoder().encode(subject));
  message.subjectStart = 0;
  message.subjectEnd = subject.length;
  message.subjectHash = hashText(subject);
  return message;
}

describe("the router's memory", () => {
  it("forgets a route that only the table of bytes still has", () => {
    const router = new Router<Interest>({ classify: () => 0 });
    for (let i = 0; i < 20; i++) assert.equal(router.findWire(wire("a.b")).plain.length, 0);
    // Both generations by text are pushed out by others, which do not come by bytes.
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 80_000; i++) {
        router.find(`fill.${round}.${i}`);
        router.find(`fill.${round}.${i}`);
      }
    }
    const added = interest("a.b");
    router.insert(added);
    assert.deepEqual(router.findWire(wire("a.b")).plain, [added]);
    router.remove(added);
    assert.deepEqual(router.findWire(wire("a.b")).plain, []);
  });

  it("forgets the last route, which may be in no other memory", () => {
    for (const subject of ["_INBOX.x", "plain.x"]) {
      const router = new Router<Interest>({ classify: () => 0 });
      for (let i = 0; i < 3; i++) assert.equal(router.find(subject).plain.length, 0);
      const added = interest(subject);
      router.insert(added);
      assert.deepEqual(router.find(subject).plain, [added]);
      assert.deepEqual(router.findWire(wire(subject)).plain, [added]);
      router.remove(added);
      assert.deepEqual(router.find(subject).plain, []);
    }
  });
});
