/** The disk is full, or fails, at each call while files are encrypted, or get another key and another cipher: nothing is lost, and the next start goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import {
  COMPRESSED,
  DURABLE,
  ENCRYPTED,
  ENCRYPTED_COMPRESSED,
  encrypted,
  type KeptOptions,
  openStorage,
} from "./file-support.ts";

const SEGMENT = 900;
const MESSAGES = 10;
const REMOVED = 4;
const PLACE = ["streams", "S"];
const CONSUMER = [...PLACE, "consumers", "c"];
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (array: Uint8Array | undefined): string | undefined => array && Buffer.from(array).toString();
const payloadOf = (seq: number): string => `marked payload ${seq} `.repeat(8);

async function settled(): Promise<void> {
  for (let i = 0; i < 100; i++) await settle();
}

async function fill(disk: SimulatedDisk, options: KeptOptions): Promise<void> {
  const storage = await openStorage(disk, SEGMENT, undefined, options.encryption);
  await storage.writeDocument(PLACE, bytes("marked document"));
  const store = await storage.openStream(PLACE, options);
  for (let seq = 1; seq <= MESSAGES; seq++) {
    store.append("marked.subject", undefined, bytes(payloadOf(seq)), seq);
    store.note(bytes(`marked note ${seq}`), 1_000_000 + seq);
  }
  store.remove(REMOVED, { erase: true });
  await store.flush();
  await settled();
  await storage.writeDocument([...CONSUMER, "consumer"], bytes("marked consumer"));
  const journal = await storage.openJournal([...CONSUMER, "state"]);
  for (const each of ["a", "b"]) journal.append(bytes(each));
  await journal.flush();
  await storage.close();
}

/** Opens all, as a server does, and lets be done what is done in the background. @throws AssertionError when what is served is wrong. */
async function check(disk: SimulatedDisk, options: KeptOptions): Promise<void> {
  const storage = await openStorage(disk, SEGMENT, undefined, options.encryption);
  try {
    assert.equal(text(await storage.readDocument(PLACE)), "marked document");
    const store = await storage.openStream(PLACE, options);
    assert.equal(text(await storage.readDocument([...CONSUMER, "consumer"])), "marked consumer");
    assert.deepEqual((await storage.openJournal([...CONSUMER, "state"])).found.map(text), ["a", "b"]);
    await settled();
    for (let seq = 1; seq <= MESSAGES; seq++) {
      const expected = seq === REMOVED ? undefined : payloadOf(seq);
      assert.equal(text((await store.get(seq))?.payload), expected, `message ${seq}`);
    }
    assert.equal(store.state.lost, undefined);
    assert.equal([...store.notes()].length, MESSAGES);
    assert.deepEqual(storage.damaged, []);
  } finally {
    await storage.close();
  }
}

const CHANGES = [
  ["a plain store is encrypted", DURABLE, ENCRYPTED],
  ["a plain, compressed store is encrypted", COMPRESSED, ENCRYPTED_COMPRESSED],
  [
    "a store gets another key and another cipher",
    ENCRYPTED,
    { ...DURABLE, encryption: encrypted("new", "aes", "the key") },
  ],
] as const;

for (const [what, before, after] of CHANGES) {
  for (const [kind, lasts] of [
    ["full", true],
    ["failed", false],
  ] as const) {
    test(`${what}, and each disk call fails in turn (${kind}${lasts ? ", and all after it" : ""})`, async () => {
      const disk = new SimulatedDisk();
      await fill(disk, before);
      for (let cut = 1; ; cut++) {
        const failing = disk.copy();
        let failed = false;
        failing.before = (call) => {
          if (call !== cut && !(lasts && call > cut)) return undefined;
          failed = true;
          return kind;
        };
        await check(failing, after).catch((error: unknown) => {
          if (error instanceof assert.AssertionError) throw new Error(`call ${cut}`, { cause: error });
        });
        failing.before = undefined;
        let choice = cut;
        const crashed = failing.crash((options) => {
          choice = (Math.imul(choice, 1_103_515_245) + 12_345) >>> 0;
          return (choice >>> 16) % options;
        });
        for (const left of [failing.copy(), crashed]) {
          await check(left, after).catch((error: unknown) => {
            throw new Error(`after call ${cut}`, { cause: error });
          });
          const plain = [...left.files()].filter(([, content]) => Buffer.from(content).includes("marked"));
          assert.deepEqual(
            plain.map(([path]) => path),
            [],
            `after call ${cut}`,
          );
        }
        if (!failed) break;
      }
    });
  }
}
