import assert from "node:assert/strict";
import type { RemoveOptions, StreamStore } from "../../src/storage/store.ts";
import { settle } from "../support/simulated.ts";
import { type Choose, SimulatedDisk } from "../support/simulated-disk.ts";
import {
  COMPRESSED,
  DURABLE,
  ENCRYPTED,
  ENCRYPTED_COMPRESSED,
  type KeptOptions,
  openStream,
} from "./file-support.ts";

/** What scripts of every kind are made of; each is as short as it can be. */
export const OPERATIONS = [
  "append",
  "batch",
  "remove",
  "erase",
  "purge",
  "flush",
  "note",
  "reopen",
  "merge",
] as const;
/** What long scripts have besides: a large message, one that takes the place of the one before on its subject, a little patience. */
export const STEPS = [...OPERATIONS, "large", "replace", "wait"] as const;
export type Step = (typeof STEPS)[number];

interface Appended {
  readonly subject: string;
  readonly payload: string;
  /** The first of its batch. */
  readonly batch: number;
}

/** What is known to whoever uses the store: what must, and what may, be found after a crash. */
export class Oracle {
  readonly appended = new Map<number, Appended>();
  /** Sequences whose removal was asked for, with the message that was to take the place (0 for none); and those of which it was said that it is done. */
  readonly removing = new Map<number, number>();
  readonly removed = new Set<number>();
  acknowledged = 0;
  notes: string[] = [];
  notesAcknowledged = 0;
  /** How many notes there were when a message was removed. */
  readonly notesBefore = new Map<number, number>();

  /** What is known now. */
  copy(): Oracle {
    const copy = new Oracle();
    for (const [seq, message] of this.appended) copy.appended.set(seq, message);
    for (const [seq, because] of this.removing) copy.removing.set(seq, because);
    for (const seq of this.removed) copy.removed.add(seq);
    copy.acknowledged = this.acknowledged;
    copy.notes = [...this.notes];
    for (const [seq, count] of this.notesBefore) copy.notesBefore.set(seq, count);
    copy.notesAcknowledged = this.notesAcknowledged;
    return copy;
  }

  get fingerprint(): string {
    const { appended, acknowledged, removed, removing, notes, notesAcknowledged } = this;
    return JSON.stringify([
      ...appended,
      acknowledged,
      ...removed,
      "",
      ...removing,
      notes.length,
      notesAcknowledged,
    ]);
  }
}

/** Where a script begins: a disk, and what is known of it; and how the stream is kept. */
export interface Start {
  readonly disk: SimulatedDisk;
  readonly oracle: Oracle;
  readonly options: KeptOptions;
}

/** Nothing yet. */
export function emptyStart(options: KeptOptions = DURABLE): Start {
  return { disk: new SimulatedDisk(), oracle: new Oracle(), options };
}

/** A stream that was closed, with a few segments, which are so small that a few removals make it worth to merge them. */
export async function filledStart(options: KeptOptions = DURABLE): Promise<Start> {
  const start = emptyStart(options);
  const { storage, store } = await openStream(start.disk, SEGMENT, options);
  for (let i = 0; i < 10; i++) append(store, start.oracle, `f.${i % 4}`, "f".repeat(150));
  note(store, start.oracle);
  if (options.compression === "s2") await compressFirst(start.disk, store);
  await storage.close();
  start.oracle.acknowledged = 10;
  start.oracle.notesAcknowledged = 1;
  return { ...start, disk: start.disk.copy() };
}

/** The same, to be compressed; the first segment is, the others are not yet. */
export function compressedStart(): Promise<Start> {
  return filledStart(COMPRESSED);
}

/** Nothing yet; what comes is encrypted. */
export function encryptedStart(): Start {
  return emptyStart(ENCRYPTED);
}

/** A few segments, encrypted and to be compressed; the first segment is, the others are not yet. */
export function encryptedCompressedStart(): Promise<Start> {
  return filledStart(ENCRYPTED_COMPRESSED);
}

/** A few segments that are not encrypted yet, though they should be. */
export async function convertedStart(): Promise<Start> {
  return { ...(await filledStart()), options: ENCRYPTED };
}

async function compressFirst(disk: SimulatedDisk, store: StreamStore): Promise<void> {
  await store.flush();
  const segments = (kind: string): string[] => [...disk.files().keys()].filter((path) => path.endsWith(kind));
  while (segments(".s2").length === 0) await Promise.resolve();
  assert.ok(segments(".log").length > 1, "there is more to be compressed");
}

/** Performs a script, to its end unless the disk is halted. `oracle` comes to know what it does. */
export async function perform(
  disk: SimulatedDisk,
  script: readonly Step[],
  oracle: Oracle,
  options: KeptOptions = DURABLE,
): Promise<void> {
  let { storage, store } = await openStream(disk, SEGMENT, options);
  const listen = (): void => {
    store.listener = {
      synced: (seq) => void (oracle.acknowledged = Math.max(oracle.acknowledged, seq)),
      refused: () => assert.fail("nothing is refused"),
      lost: () => assert.fail("nothing is lost"),
    };
  };
  const flushed = async (): Promise<void> => {
    const { lastSeq } = store.state;
    const removing = [...oracle.removing.keys()];
    const notes = oracle.notes.length;
    await store.flush();
    oracle.acknowledged = Math.max(oracle.acknowledged, lastSeq);
    for (const seq of removing) oracle.removed.add(seq);
    oracle.notesAcknowledged = Math.max(oracle.notesAcknowledged, notes);
  };
  const remove = (seq: number, options: RemoveOptions): void => {
    oracle.removing.set(seq, options.because ?? 0);
    oracle.notesBefore.set(seq, oracle.notes.length);
    store.remove(seq, options);
  };
  listen();
  for (const step of script) {
    switch (step) {
      case "append":
        append(store, oracle, "a", "x");
        break;
      case "large":
        append(store, oracle, "b", "y".repeat(700));
        break;
      case "replace": {
        const before = store.subject("a");
        const seq = append(store, oracle, "a", "z");
        if (before !== undefined) remove(before.lastSeq, { because: seq });
        break;
      }
      case "batch": {
        const payload = "b".repeat(300);
        const message = { subject: "c", headers: undefined, payload: bytes(payload), time: 1, ttl: 0 };
        const first = store.appendBatch([message, message]);
        for (const seq of [first, first + 1])
          oracle.appended.set(seq, { subject: "c", payload, batch: first });
        break;
      }
      case "remove":
      case "erase":
        if (store.state.messages > 0) remove(store.state.firstSeq, { erase: step === "erase" });
        break;
      case "purge":
        for (const seq of oracle.appended.keys()) oracle.removing.set(seq, 0);
        void store.purge({}).catch(() => {});
        break;
      case "note":
        note(store, oracle);
        break;
      case "flush":
        await flushed();
        break;
      case "wait":
        await settle();
        break;
      case "reopen":
        await flushed();
        await storage.close();
        ({ storage, store } = await openStream(disk, SEGMENT, options));
        listen();
        break;
      case "merge":
        // So much goes that segments with little left are merged; what comes next comes while that goes on.
        for (let { firstSeq: seq, lastSeq } = store.state; seq < lastSeq; seq++) {
          if (seq % 4 !== 0 && store.has(seq)) remove(seq, {});
        }
        await flushed();
        await settle();
        break;
    }
  }
  await flushed();
  for (let i = 0; i < 4; i++) await settle();
  await storage.close();
}

/** Small, so that scripts go over several segments. */
const SEGMENT = 1200;

function append(store: StreamStore, oracle: Oracle, subject: string, payload: string): number {
  const seq = store.append(subject, undefined, bytes(payload), 1);
  oracle.appended.set(seq, { subject, payload, batch: seq });
  return seq;
}

function note(store: StreamStore, oracle: Oracle): void {
  const text = `note ${oracle.notes.length}`;
  oracle.notes.push(text);
  store.keep("last", bytes(text));
  store.note(bytes(text), 1_000_000 + oracle.notes.length);
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Opens what a crash has left, and checks the promises. */
export async function checkAfter(
  disk: SimulatedDisk,
  oracle: Oracle,
  options: KeptOptions = DURABLE,
): Promise<void> {
  const { storage, store } = await openStream(disk, SEGMENT, options);
  const { state } = store;
  const attempted = Math.max(0, ...oracle.appended.keys());
  assert.equal(state.lost, undefined, "nothing is lost");
  assert.deepEqual(storage.damaged, []);
  assert.ok(state.lastSeq >= oracle.acknowledged, "no acknowledged sequence is given out again");
  assert.ok(state.lastSeq <= Math.max(attempted, oracle.acknowledged), "nothing comes from nowhere");
  let end = Number.POSITIVE_INFINITY;
  for (const [seq, message] of [...oracle.appended].sort(([a], [b]) => a - b)) {
    const found = await store.get(seq);
    if (found === undefined) {
      // What another was to take the place of is gone only if that one is there.
      const because = oracle.removing.get(seq);
      if (because !== undefined && because <= state.lastSeq) continue;
      assert.ok(seq > oracle.acknowledged, `acknowledged message ${seq} is there`);
      end = Math.min(end, message.batch);
      continue;
    }
    assert.ok(seq < end, `no hole before message ${seq}`);
    assert.ok(!oracle.removed.has(seq), `message ${seq} stays removed`);
    assert.equal(found.subject, message.subject);
    assert.equal(Buffer.from(found.payload).toString(), message.payload);
  }
  for (const [seq, { batch }] of oracle.appended) {
    if (seq >= end)
      assert.ok(!store.has(seq) && !store.has(batch), "a batch is there as a whole or not at all");
  }
  const notes = [...store.notes()].map((each) => Buffer.from(each.bytes).toString());
  assert.deepEqual(notes.slice(0, oracle.notesAcknowledged), oracle.notes.slice(0, oracle.notesAcknowledged));
  assert.deepEqual(notes, oracle.notes.slice(0, notes.length));
  const kept = Buffer.from(store.kept("last") ?? "").toString();
  const least = oracle.notesAcknowledged - 1;
  assert.ok(
    kept === "" ? least < 0 : oracle.notes.lastIndexOf(kept) >= least,
    "what is kept is the last, or what was to come after it",
  );
  for (const [seq, notes] of oracle.notesBefore) {
    if (seq > oracle.acknowledged || store.has(seq)) continue;
    assert.ok(
      oracle.notes.indexOf(kept) >= notes - 1,
      "what was kept before a removal is there when that is",
    );
  }
  // It goes on, and what it is now is what it will be.
  const next = store.append("a", undefined, bytes("after"), 1);
  assert.equal(next, state.lastSeq);
  await store.flush();
  const { messages, lastSeq, firstSeq } = state;
  await storage.close();
  const again = await openStream(disk.copy(), SEGMENT, options);
  const { state: same } = again.store;
  assert.deepEqual([same.messages, same.lastSeq, same.firstSeq], [messages, lastSeq, firstSeq]);
  assert.equal(same.lost, undefined);
  assert.ok((await again.store.get(next)) !== undefined);
  assert.equal(Buffer.from(again.store.kept("last") ?? "").toString(), kept);
  await again.storage.close();
}

/** All scripts of a length. */
export function* scripts(length: number, steps: readonly Step[] = OPERATIONS): Generator<Step[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const first of steps) for (const rest of scripts(length - 1, steps)) yield [first, ...rest];
}

/**
 * Cuts the power before each disk call of scripts, with every outcome of {@link outcomes}, and checks what is left. Scripts that
 * begin alike crash alike, so what has been seen once, on the disk and by the user, is not looked at again.
 */
export class Crashes {
  /** How many different states there were when the power was cut, and how many different ones that left. */
  cuts = 0;
  outcomes = 0;
  readonly #limit: number;
  readonly #seen = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Checks a script. */
  async check(script: readonly Step[], start: Start): Promise<void> {
    const left: { disk: SimulatedDisk; oracle: Oracle; how: string }[] = [];
    const disk = start.disk.copy();
    const oracle = start.oracle.copy();
    disk.before = (call) => {
      const known = oracle.fingerprint;
      if (!this.#isNew(`cut ${disk.fingerprint()} ${known}`)) return undefined;
      this.cuts += 1;
      const now = oracle.copy();
      for (const choose of outcomes(this.#limit)) {
        const taken: number[] = [];
        const after = disk.crash((options) => {
          const choice = choose(options);
          taken.push(choice);
          return choice;
        });
        if (!this.#isNew(`left ${after.fingerprint()} ${known}`)) continue;
        left.push({ disk: after, oracle: now, how: `cut before call ${call}, outcome ${taken.join("")}` });
      }
      return undefined;
    };
    await perform(disk, script, oracle, start.options);
    for (const each of left) {
      this.outcomes += 1;
      await checkAfter(each.disk, each.oracle, start.options).catch((error: unknown) => {
        throw new Error(`script ${script.join(" ")}, ${each.how}`, { cause: error });
      });
    }
  }

  #isNew(what: string): boolean {
    if (this.#seen.has(what)) return false;
    this.#seen.add(what);
    return true;
  }
}

/** Which outcomes there are of a crash: each is a way to choose. Ask for the next when all choices of one have been made. */
export function* outcomes(limit: number): Generator<Choose> {
  let count = 0;
  for (const choose of paths(0, Number.POSITIVE_INFINITY)) {
    if (++count > limit) break;
    yield choose;
  }
  if (count <= limit) return;
  // Too many: all in which at most two choices are others than "does not come through", or others than "comes through".
  yield* paths(0, 2);
  yield* paths(1, 2);
}

/** All sequences of choices of which at most `others` are not the usual one: the first (`usual` 0) or the last (1). */
function* paths(usual: 0 | 1, others: number): Generator<Choose> {
  const path: { away: number; readonly options: number }[] = [];
  for (;;) {
    let depth = 0;
    yield (options) => {
      if (depth === path.length) path.push({ away: 0, options });
      const { away } = path[depth++];
      return usual === 0 ? away : options - 1 - away;
    };
    let away = path.filter((each) => each.away > 0).length;
    for (;;) {
      const last = path.at(-1);
      if (last === undefined) return;
      if (last.away > 0) away -= 1;
      if (last.away < last.options - 1 && away < others) {
        last.away += 1;
        break;
      }
      path.pop();
    }
  }
}
