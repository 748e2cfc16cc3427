import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle } from "../support/simulated.ts";
import { type Choose, SimulatedDisk } from "../support/simulated-disk.ts";
import { openStream } from "./file-support.ts";

/**
 * What scripts are made of: append a small message, a large one; one that takes the place of the one before on its subject; a batch of two; remove the
 * first, and erase it; purge all; keep a note; wait until all is on disk; wait a little; close and open again.
 */
export const STEPS = [
  "small",
  "large",
  "replace",
  "batch",
  "remove",
  "erase",
  "purge",
  "note",
  "flush",
  "wait",
  "reopen",
] as const;
export type Step = (typeof STEPS)[number];

interface Appended {
  readonly subject: string;
  readonly payload: string;
  /** The first of its batch. */
  readonly batch: number;
}

/** What is known to whoever uses the store: what must, and what may, be found after a crash. */
class Oracle {
  readonly appended = new Map<number, Appended>();
  /** Sequences whose removal was asked for; and those of which it was said that it is done. */
  readonly removing = new Set<number>();
  readonly removed = new Set<number>();
  acknowledged = 0;
  notes: string[] = [];
  notesAcknowledged = 0;
}

/** Runs a script on a disk until it ends or the power is cut before disk call `cut`. Returns what is known, and whether it came to the end. */
export async function runUntil(
  disk: SimulatedDisk,
  script: readonly Step[],
  cut: number,
): Promise<{ oracle: Oracle; ended: boolean }> {
  const oracle = new Oracle();
  const halted = new Promise<"halted">((resolve) => {
    disk.before = (call) => {
      if (call === cut) {
        disk.halt();
        resolve("halted");
      }
      return undefined;
    };
  });
  const how = await Promise.race([halted, perform(disk, script, oracle)]);
  return { oracle, ended: how === "ended" };
}

async function perform(disk: SimulatedDisk, script: readonly Step[], oracle: Oracle): Promise<"ended"> {
  let { storage, store } = await openStream(disk, SEGMENT);
  const flushed = async (): Promise<void> => {
    const { lastSeq } = store.state;
    const removing = [...oracle.removing];
    const notes = oracle.notes.length;
    await store.flush();
    oracle.acknowledged = Math.max(oracle.acknowledged, lastSeq);
    for (const seq of removing) oracle.removed.add(seq);
    oracle.notesAcknowledged = Math.max(oracle.notesAcknowledged, notes);
  };
  for (const step of script) {
    switch (step) {
      case "small":
        append(store, oracle, "a", "x");
        break;
      case "large":
        append(store, oracle, "b", "y".repeat(700));
        break;
      case "replace": {
        const before = store.subject("a");
        const seq = append(store, oracle, "a", "z");
        if (before === undefined) break;
        oracle.removing.add(before.lastSeq);
        store.remove(before.lastSeq, { because: seq });
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
      case "erase": {
        const { firstSeq, messages } = store.state;
        if (messages === 0) break;
        oracle.removing.add(firstSeq);
        store.remove(firstSeq, { erase: step === "erase" });
        break;
      }
      case "purge":
        for (const seq of oracle.appended.keys()) oracle.removing.add(seq);
        void store.purge({}).catch(() => {});
        break;
      case "note":
        oracle.notes.push(`note ${oracle.notes.length}`);
        store.note(bytes(oracle.notes.at(-1)!), 1_000_000 + oracle.notes.length);
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
        ({ storage, store } = await openStream(disk, SEGMENT));
        break;
    }
  }
  await flushed();
  await storage.close();
  return "ended";
}

/** Small, so that scripts go over several segments. */
const SEGMENT = 1200;

function append(store: StreamStore, oracle: Oracle, subject: string, payload: string): number {
  const seq = store.append(subject, undefined, bytes(payload), 1);
  oracle.appended.set(seq, { subject, payload, batch: seq });
  return seq;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Opens what a crash has left, and checks the promises. */
export async function checkAfter(disk: SimulatedDisk, oracle: Oracle): Promise<void> {
  const { storage, store } = await openStream(disk, SEGMENT);
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
      if (oracle.removing.has(seq)) continue;
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
  const notes = [...store.notes()].map((note) => Buffer.from(note.bytes).toString());
  assert.deepEqual(notes.slice(0, oracle.notesAcknowledged), oracle.notes.slice(0, oracle.notesAcknowledged));
  assert.deepEqual(notes, oracle.notes.slice(0, notes.length));
  // It goes on, and what it is now is what it will be.
  const next = store.append("a", undefined, bytes("after"), 1);
  assert.equal(next, state.lastSeq);
  await store.flush();
  const { messages, lastSeq, firstSeq } = state;
  await storage.close();
  const again = await openStream(disk.copy(), SEGMENT);
  assert.deepEqual(
    { messages, lastSeq, firstSeq },
    {
      messages: again.store.state.messages,
      lastSeq: again.store.state.lastSeq,
      firstSeq: again.store.state.firstSeq,
    },
  );
  assert.equal(again.store.state.lost, undefined);
  assert.ok((await again.store.get(next)) !== undefined);
  await again.storage.close();
}

/** Calls `action` with every sequence of choices, or, beyond `limit` of them, with so many that are spread over all. Returns how many. */
export async function eachOutcome(limit: number, action: (choose: Choose) => Promise<void>): Promise<number> {
  const path: { taken: number; options: number }[] = [];
  let seed = 1;
  for (let count = 1; ; count++) {
    let depth = 0;
    const exhaustive = count <= limit / 2;
    await action((options) => {
      if (!exhaustive) {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * options);
      }
      if (depth === path.length) path.push({ taken: 0, options });
      return path[depth++].taken;
    });
    if (exhaustive) {
      while (path.length > 0 && path.at(-1)!.taken === path.at(-1)!.options - 1) path.pop();
      if (path.length === 0) return count;
      path.at(-1)!.taken += 1;
    }
    if (count >= limit) return count;
  }
}

/** All scripts of a length. */
export function* scripts(length: number): Generator<Step[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const first of STEPS) for (const rest of scripts(length - 1)) yield [first, ...rest];
}

/** Cuts the power before every disk call of a script, with every outcome; returns how many crashes there were. */
export async function checkScript(script: readonly Step[], outcomes: number): Promise<number> {
  let crashes = 0;
  const seen = new Set<string>();
  for (let cut = 1; ; cut++) {
    const disk = new SimulatedDisk();
    const { oracle, ended } = await runUntil(disk, script, cut);
    crashes += await eachOutcome(outcomes, async (choose) => {
      const taken: number[] = [];
      const after = disk.crash((options) => {
        const choice = choose(options);
        taken.push(choice);
        return choice;
      });
      // Many crashes leave the same.
      const key = fingerprint(after, oracle);
      if (seen.has(key)) return;
      seen.add(key);
      try {
        await checkAfter(after, oracle);
      } catch (error) {
        throw new Error(`script ${script.join(" ")}, cut before call ${cut}, outcome ${taken.join("")}`, {
          cause: error,
        });
      }
    });
    if (ended) return crashes;
  }
}

/** What is on a disk, and what is known of it. */
function fingerprint(disk: SimulatedDisk, oracle: Oracle): string {
  const hash = createHash("sha1");
  for (const [path, content] of disk.files()) hash.update(path).update(content);
  const { appended, acknowledged, removed, removing, notes, notesAcknowledged } = oracle;
  hash.update(
    JSON.stringify([[...appended], acknowledged, [...removed], [...removing], notes, notesAcknowledged]),
  );
  return hash.digest("hex");
}
