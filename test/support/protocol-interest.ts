/** Interests for the tests of routing, and the plain way to say who gets a message: look at every one, token by token. */
import assert from "node:assert/strict";
import type { Interest, Matches } from "../../src/interest/subject-tree.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { encodeText } from "../../src/protocol/text.ts";
import { fnv1a } from "./protocol-bytes.ts";
import { fc } from "./protocol-check.ts";

/** Somebody's interest. */
export class TestInterest implements Interest {
  readonly id: number;
  readonly subject: string;
  readonly queue: string | undefined;
  slot = 0;

  constructor(id: number, subject: string, queue?: string) {
    this.id = id;
    this.subject = subject;
    this.queue = queue;
  }
}

/** Whether a message on `subject`, which is taken as it is, goes to those that have subscribed to `pattern`. */
export function matchesPattern(pattern: string, subject: string): boolean {
  const tokens = subject.split(".");
  if (tokens.includes("")) return false;
  const wanted = pattern.split(".");
  for (const [i, token] of wanted.entries()) {
    if (token === ">") return tokens.length > i;
    if (i >= tokens.length) return false;
    if (token !== "*" && token !== tokens[i]) return false;
  }
  return tokens.length === wanted.length;
}

/** Who gets a message, in a form that can be compared: ids in order, those of each queue group by its name. */
export interface Answer {
  readonly plain: number[];
  readonly groups: Record<string, number[]>;
}

/** The plain answer. */
export function naive(interests: Iterable<TestInterest>, subject: string): Answer {
  const plain: number[] = [];
  const groups: Record<string, number[]> = {};
  for (const { id, subject: pattern, queue } of interests) {
    if (!matchesPattern(pattern, subject)) continue;
    if (queue === undefined) plain.push(id);
    else (groups[queue] ??= []).push(id);
  }
  plain.sort((a, b) => a - b);
  for (const group of Object.values(groups)) group.sort((a, b) => a - b);
  return { plain, groups };
}

/** The answer of a tree or a router. */
export function answer(matches: Matches<TestInterest>): Answer {
  const groups: Record<string, number[]> = {};
  for (const group of matches.groups) {
    assert.ok(group.length > 0, "a group has members");
    const queue = group[0].queue;
    assert.ok(queue !== undefined && !(queue in groups), "a queue group is one list");
    assert.ok(group.every((member) => member.queue === queue));
    groups[queue] = group.map(({ id }) => id).sort((a, b) => a - b);
  }
  for (const { queue } of matches.plain) assert.equal(queue, undefined);
  return { plain: matches.plain.map(({ id }) => id).sort((a, b) => a - b), groups };
}

/** A message that was just read from bytes, as far as a router looks at it. */
export function wireMessage(subject: string): Message {
  const message = new Message(new Slab());
  fillWire(message, subject);
  return message;
}

/** Fills a message as a reader does. */
export function fillWire(message: Message, subject: string): void {
  const name = encodeText(subject);
  const bytes = new Uint8Array(name.length + 20);
  const start = name.length % 7;
  bytes.set(name, start);
  message.setWire(bytes);
  message.subject = "";
  message.subjectStart = start;
  message.subjectEnd = start + name.length;
  message.subjectHash = fnv1a(name);
}

/** Tokens that are few, so that subjects meet. */
const name = fc.constantFrom("a", "b", "c", "é", "_x", "a*", ">b", "foo");

/** A subject that may be subscribed to. */
export const pattern: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: fc.constant("*") }), {
      maxLength: 4,
    }),
    fc.boolean(),
  )
  .map(([tokens, full]) => (full || tokens.length === 0 ? [...tokens, ">"] : tokens).join("."));

/** A subject that a message may have, a malformed one now and then, and one with wildcards in it, which are literal there. */
export const published: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: name },
      { weight: 1, arbitrary: fc.constantFrom("*", ">") },
      { weight: 1, arbitrary: fc.constant("") },
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((tokens) => tokens.join("."));

/** A queue group's name, or none. */
export const queue: fc.Arbitrary<string | undefined> = fc.option(fc.constantFrom("q", "workers", "*"), {
  nil: undefined,
  freq: 2,
});
