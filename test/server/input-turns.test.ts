/** Clients that send much are read by turns, and nobody notices but those who would have had to wait for them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import { Server } from "../../src/server/server.ts";
import { BusyClock } from "../support/busy-clock.ts";
import { simulatedRuntime, TestLink } from "../support/simulated.ts";

const CONNECT = 'CONNECT {"verbose":false}\r\n';
const MANY = 20_000;

/** A server to which looking at the clock takes time; a turn of its event loop ends when the test says so. */
class Turns {
  #later: (() => void)[] = [];
  readonly #server: Server;

  constructor() {
    const runtime = simulatedRuntime(new BusyClock(0.2));
    const tasks = { ...runtime.tasks, later: (action: () => void) => void this.#later.push(action) };
    this.#server = new Server(checkedSettings({}), { ...runtime, tasks });
  }

  link(said = ""): TestLink {
    const link = new TestLink();
    this.#server.inProcessConn().accept(link);
    link.send(`${CONNECT}${said}`);
    link.look();
    return link;
  }

  /** Two turns: in the first one others are looked at who have sent something meanwhile. */
  turn(): void {
    for (let i = 0; i < 2; i++) {
      const actions = this.#later;
      this.#later = [];
      for (const action of actions) action();
    }
  }
}

/** Messages with numbers. */
function publishes(subject: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `PUB ${subject} ${String(i).length}\r\n${i}\r\n`).join("");
}

/** The numbers of the messages that a client has got since it was asked last. */
function numbers(link: TestLink): number[] {
  return [...link.look().matchAll(/MSG \S+ \d+ \d+\r\n(\d+)\r\n/g)].map(([, number]) => Number(number));
}

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe("a client that sends much at once", () => {
  it("is read by turns, its link is held meanwhile, and all comes in order", () => {
    const turns = new Turns();
    const flood = turns.link();
    const reader = turns.link("SUB a 1\r\n");
    const text = publishes("a", MANY);
    flood.send(text);
    assert.equal(flood.held, true);
    const got = numbers(reader);
    assert.ok(got.length > 0 && got.length < MANY, `${got.length} in the first turn`);
    let passed = 0;
    for (; got.length < MANY; passed++) {
      turns.turn();
      const some = numbers(reader);
      assert.ok(some.length > 0 && some.length < MANY / 2, `${some.length} in one turn`);
      got.push(...some);
    }
    assert.ok(passed > 2);
    assert.deepEqual(got, count(MANY));
    assert.equal(flood.held, false);
  });

  it("may reuse the array that it was handed over in", () => {
    const turns = new Turns();
    const flood = turns.link();
    const reader = turns.link("SUB a 1\r\n");
    const bytes = Buffer.from(publishes("a", 5_000), "latin1");
    flood.sendBytes(bytes);
    bytes.fill(0);
    turns.turn();
    while (flood.held) turns.turn();
    assert.deepEqual(numbers(reader), count(5_000));
  });

  it("leaves others their turn: small pieces are read at once, large ones in the same turns", () => {
    const turns = new Turns();
    const [first, second, small] = [turns.link(), turns.link(), turns.link()];
    const reader = turns.link("SUB * 1\r\n");
    first.send(publishes("a", MANY));
    second.send(publishes("b", MANY));
    small.send("PING\r\n");
    assert.equal(small.look(), "PONG\r\n");
    const subjects = (): string[] => [...reader.look().matchAll(/MSG (\S+) /g)].map(([, name]) => name);
    assert.deepEqual(new Set(subjects()), new Set(["a", "b"]));
    turns.turn();
    turns.turn();
    assert.deepEqual(new Set(subjects()), new Set(["a", "b"]), "both go on before one is done");
  });

  it("is read to its end when it has said all, or has gone", () => {
    for (const leave of [(link: TestLink) => link.finish(), (link: TestLink) => link.leave()]) {
      const turns = new Turns();
      const flood = turns.link();
      const reader = turns.link("SUB a 1\r\n");
      flood.send(publishes("a", MANY));
      leave(flood);
      assert.deepEqual(numbers(reader), count(MANY));
    }
  });

  it("is not read any more once it has been closed", () => {
    const turns = new Turns();
    const flood = turns.link();
    const reader = turns.link("SUB a 1\r\n");
    flood.send(`${publishes("a", 1_000)}RUBBISH\r\n${publishes("a", 1_000)}`);
    for (let i = 0; i < 100; i++) turns.turn();
    assert.match(flood.look(), /Unknown Protocol Operation/);
    assert.deepEqual(numbers(reader), count(1_000));
    assert.notEqual(flood.ended, undefined);
  });

  it("stays held while a receiver is behind, also when its turn comes", () => {
    const turns = new Turns();
    const flood = turns.link();
    const reader = turns.link("SUB a 1\r\n");
    reader.keep = false;
    reader.stuck = true;
    const large = "x".repeat(64 * 1024);
    flood.send(`PUB a ${large.length}\r\n${large}\r\n`.repeat(64));
    for (let i = 0; i < 20; i++) turns.turn();
    assert.equal(flood.held, true);
    reader.stuck = false;
    reader.drain();
    for (let i = 0; i < 20; i++) turns.turn();
    assert.equal(flood.held, false);
  });
});
