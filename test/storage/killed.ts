import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import type { EncryptionSetup } from "../../src/storage/encryption.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import type { StoreOptions } from "../../src/storage/store.ts";
import { encrypted } from "./file-support.ts";

export const SEGMENT_BYTES = 64 * 1024;
/** What the stream asks for changes from round to round. */
export function killOptions(compression: string): StoreOptions {
  return { sync: "always", noteAge: 1000, compression: compression === "s2" ? "s2" : "none" };
}
/** How files are encrypted in a round: with another key than in the one before, and the other cipher; not at all in the first. */
export function encryptionIn(round: number): EncryptionSetup | undefined {
  if (round === 0) return undefined;
  return encrypted(`key ${round}`, round % 2 === 0 ? "aes" : "chacha", `key ${round - 1}`);
}

/** How many messages the writer leaves in the stream. */
const MOST = 1500;

/** What the message with a sequence holds. */
export function payloadOf(seq: number): Uint8Array {
  return new Uint8Array(Buffer.from(`${seq} `.repeat(1 + (seq % 60))));
}

/** The subject of the message with a sequence. */
export function subjectOf(seq: number): string {
  return `s.${seq % 97}`;
}

/**
 * Has a writer write to a directory, kills it, and checks that all that it was told is there. `known` goes from round to round.
 * @param round - see {@link encryptionIn}.
 */
export async function killRound(
  directory: string,
  ms: number,
  compression: "none" | "s2",
  known: { acknowledged: number; gone: Set<number> },
  round = 0,
): Promise<void> {
  const writer = join(import.meta.dirname!, "killed-writer.ts");
  const child = spawn(process.execPath, ["--import", "tsx", writer, directory, compression, `${round}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = "";
  const opened = new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (bytes: Buffer) => {
      told += bytes.toString();
      if (told.includes("open\n")) resolve();
    });
    child.on("exit", () => reject(new Error("the writer has ended")));
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  await opened;
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill("SIGKILL");
  await ended;
  // A line that the kill has cut short says nothing.
  for (const line of told.split("\n").slice(0, -1)) {
    const [what, seq] = line.split(" ");
    assert.notEqual(what, "lost", line);
    if (what === "ack") known.acknowledged = Math.max(known.acknowledged, Number(seq));
    if (what === "gone") known.gone.add(Number(seq));
  }
  await check(directory, compression, known, round);
}

async function check(
  directory: string,
  compression: string,
  known: { acknowledged: number; gone: ReadonlySet<number> },
  round: number,
): Promise<void> {
  const runtime = nodeRuntime();
  const disk = await runtime.loadDisk();
  const encryption = encryptionIn(round);
  const storage = await FileStorage.open(directory, {
    ...runtime,
    disk,
    segmentBytes: SEGMENT_BYTES,
    encryption,
  });
  const store = await storage.openStream(["S"], killOptions(compression));
  const { state } = store;
  assert.equal(state.lost, undefined);
  assert.ok(state.lastSeq >= known.acknowledged, `${state.lastSeq} is not behind ${known.acknowledged}`);
  let found = 0;
  for (let seq = state.firstSeq; seq <= state.lastSeq; seq++) {
    const message = await store.get(seq);
    if (message === undefined) continue;
    found += 1;
    assert.ok(!known.gone.has(seq), `${seq} stays removed`);
    assert.equal(message.subject, subjectOf(seq));
    assert.deepEqual(message.payload, payloadOf(seq));
  }
  assert.equal(found, state.messages);
  // Below the first are those that made room, of which there are only as many as there are too many.
  assert.ok(
    state.messages >= Math.min(MOST, known.acknowledged) - known.gone.size - 40,
    `${state.messages} messages`,
  );
  const missing = state.lastSeq - state.firstSeq + 1 - state.messages;
  assert.ok(missing <= known.gone.size + 40, `${missing} are missing, ${known.gone.size} were removed`);
  await storage.close();
}
