import assert from "node:assert/strict";
import { test } from "node:test";
import type { CipherName } from "../../src/seams/ciphers.ts";
import { checksum } from "../../src/storage/checksum.ts";
import { seedAt } from "../../src/storage/records.ts";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import {
  COMPRESSED,
  DURABLE,
  ENCRYPTED,
  ENCRYPTED_COMPRESSED,
  encrypted,
  type KeptOptions,
  openStorage,
  openStream,
} from "./file-support.ts";

const SEGMENT = 1500;
const MESSAGES = 40;
const PLACE = ["streams", "S"];
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (array: Uint8Array): string => Buffer.from(array).toString();
const headersOf = (seq: number): string => `NATS/1.0\r\nMarked-Header: marked-value-${seq}\r\n\r\n`;
const payloadOf = (seq: number): string => `marked payload ${seq} `.repeat(1 + (seq % 3));

/** What is in no file, whatever was done. */
const MARKS = ["marked", "Marked", "MARKED"];

/** How streams are kept, and what they are kept by. */
const AES: KeptOptions = { ...DURABLE, encryption: encrypted("the key", "aes") };
const AES_COMPRESSED: KeptOptions = { ...COMPRESSED, encryption: encrypted("the key", "aes") };

async function settled(turns = 200): Promise<void> {
  for (let i = 0; i < turns; i++) await settle();
}

function assertSecret(disk: SimulatedDisk): void {
  for (const [path, content] of disk.files()) {
    const found = MARKS.filter((mark) => Buffer.from(content).includes(mark));
    assert.deepEqual(found, [], `${path} says nothing`);
  }
}

/** Stores messages with headers, notes of both kinds; removes and erases some. */
async function fill(store: StreamStore): Promise<void> {
  for (let seq = 1; seq <= MESSAGES; seq++) {
    store.append(`marked.subject.${seq % 7}`, bytes(headersOf(seq)), bytes(payloadOf(seq)), seq, seq % 5);
    store.note(bytes(`marked note ${seq}`), 1_000_000 + seq);
    store.keep("marked-name", bytes(`marked kept ${seq}`));
    if (seq % 3 === 0) await store.flush();
  }
  for (const seq of REMOVED) store.remove(seq, { erase: seq % 2 === 0 });
  await store.flush();
  await settled();
}

const REMOVED = [2, 3, 4, 7, 8, 9, 10, 21, 30];

async function check(store: StreamStore, why = ""): Promise<void> {
  for (let seq = 1; seq <= MESSAGES; seq++) {
    const found = await store.get(seq);
    if (REMOVED.includes(seq)) {
      assert.equal(found, undefined, `${why} ${seq}`);
      continue;
    }
    assert.ok(found !== undefined, `${why}: ${seq} is there`);
    assert.equal(found.subject, `marked.subject.${seq % 7}`);
    assert.equal(text(found.headers!), headersOf(seq));
    assert.equal(text(found.payload), payloadOf(seq));
    assert.equal(found.ttl, seq % 5);
  }
  assert.equal(store.state.lost, undefined);
  assert.equal(store.subject("marked.subject.1")?.messages, 5);
  const notes = [...store.notes()].map((each) => text(each.bytes));
  assert.deepEqual(
    notes,
    Array.from({ length: MESSAGES }, (_, i) => `marked note ${i + 1}`),
  );
  assert.equal(text(store.kept("marked-name")!), `marked kept ${MESSAGES}`);
}

const segments = (disk: SimulatedDisk): string[] =>
  [...disk.files().keys()].filter((path) => /\.(log|s2)$/.test(path));

/** All segments are encrypted so, and compressed but for the last, if they are to be. */
function assertKind(disk: SimulatedDisk, cipher: CipherName, compressed: boolean): void {
  for (const path of segments(disk)) assert.ok(path.includes(`.${cipher}.`), path);
  const logs = segments(disk).filter((path) => path.endsWith(".log"));
  if (compressed) assert.equal(logs.length, 1);
  else assert.equal(logs.length, segments(disk).length);
}

for (const [how, options, cipher] of [
  ["encrypted", ENCRYPTED, "chacha"],
  ["encrypted with AES", AES, "aes"],
  ["encrypted and compressed", ENCRYPTED_COMPRESSED, "chacha"],
  ["encrypted with AES and compressed", AES_COMPRESSED, "aes"],
] as const) {
  test(`${how}: all is read as it was stored, after a stop and after a crash, and no file says any of it`, async () => {
    const disk = new SimulatedDisk();
    const { storage, store } = await openStream(disk, SEGMENT, options);
    await fill(store);
    await check(store);
    assertKind(disk, cipher, options.compression === "s2");
    assertSecret(disk);
    const crashed = disk.copy();
    const found = await openStream(crashed, SEGMENT, options);
    await check(found.store, "after a crash");
    await settled();
    assertSecret(crashed);
    await storage.close();
    assertSecret(disk);
    const again = await openStream(disk.copy(), SEGMENT, options);
    await check(again.store, "after a stop");
    await again.storage.close();
    const gone = await openStream(disk.copy(), SEGMENT, options);
    for (let seq = 1; seq < MESSAGES; seq++) if (seq % 4 !== 0) gone.store.remove(seq);
    await gone.store.flush();
    await settled();
    for (let seq = 4; seq < MESSAGES; seq += 4) {
      const message = await gone.store.get(seq);
      if (!REMOVED.includes(seq)) assert.equal(text(message!.payload), payloadOf(seq), "after a merge");
    }
    assert.equal(gone.store.state.lost, undefined);
  });
}

test("what is encrypted takes as much room for the limits of a stream as what is not", async () => {
  const plain = await openStream(new SimulatedDisk(), SEGMENT);
  const secret = await openStream(new SimulatedDisk(), SEGMENT, ENCRYPTED);
  await fill(plain.store);
  await fill(secret.store);
  assert.equal(secret.store.state.bytes, plain.store.state.bytes);
});

test("the same message is not the same in a file twice", async () => {
  const disk = new SimulatedDisk();
  const { store } = await openStream(disk, undefined, ENCRYPTED);
  for (let i = 0; i < 200; i++) store.append("a", undefined, bytes("x".repeat(64)), 1);
  await store.flush();
  const [path] = segments(disk);
  const content = Buffer.from(disk.files().get(path)!);
  const seen = new Set<string>();
  // Of each record what is encrypted of the payload; the first is a change.
  const first = content.indexOf(Uint8Array.of(1, 2, 1, 0), 0);
  for (let at = first + 44 + 12; at + 64 < content.length && seen.size < 200; at += 144) {
    seen.add(content.toString("latin1", at, at + 64));
  }
  assert.equal(seen.size, 200);
});

const KEY_FILES = /\/key\.(doc|copy)$/;

for (const [what, encryption] of [
  ["another key", encrypted("another")],
  ["no key", undefined],
  ["another key, and another before it", encrypted("another", "aes", "one more")],
] as const) {
  test(`with ${what} nothing is opened, and nothing is changed`, async () => {
    const disk = new SimulatedDisk();
    const { storage, store } = await openStream(disk, SEGMENT, ENCRYPTED);
    await fill(store);
    await storage.writeDocument(PLACE, bytes("marked document"));
    const journal = await storage.openJournal([...PLACE, "c", "state"]);
    journal.append(bytes("marked state"));
    await storage.close();
    const before = disk.copy().files();
    const again = disk.copy();
    const other = await openStorage(again, SEGMENT, undefined, encryption);
    const refused = { name: "StorageError", code: "encrypted" };
    await assert.rejects(other.openStream(PLACE, DURABLE), refused);
    await assert.rejects(other.readDocument(PLACE), refused);
    await assert.rejects(other.openJournal([...PLACE, "c", "state"]), refused);
    assert.deepEqual(other.damaged, []);
    await other.close();
    assert.deepEqual(again.files(), before);
  });
}

test("a key that is damaged is read from its other file; where both are, nothing is opened and no other is made", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT, ENCRYPTED);
  await fill(store);
  await storage.close();
  const keys = [...disk.files().keys()].filter((path) => KEY_FILES.test(path));
  assert.equal(keys.length, 2);
  for (const path of keys) {
    const content = disk.files().get(path)!;
    for (let at = 0; at < content.length; at++) {
      const flipped = content.slice();
      flipped[at] ^= 1 << (at % 8);
      const opened = await openStream(disk.copy(path, flipped), SEGMENT, ENCRYPTED);
      assert.equal(opened.storage.damaged.length, 1);
      assert.equal(text((await opened.store.get(1))!.payload), payloadOf(1));
      await opened.storage.close();
    }
  }
  let damaged = disk;
  for (const path of keys) damaged = damaged.copy(path, new Uint8Array(7));
  for (let i = 0; i < 2; i++) {
    const opened = await openStorage(damaged, SEGMENT, undefined, encrypted());
    await assert.rejects(opened.openStream(PLACE, DURABLE), { code: "encrypted" });
    await opened.close();
  }
  assert.equal(segments(damaged).length, segments(disk).length);
});

/** All that a stream has: messages, a document, a consumer's journal. */
async function whole(disk: SimulatedDisk, options: KeptOptions): Promise<void> {
  const { storage, store } = await openStream(disk, SEGMENT, options);
  await fill(store);
  await storage.writeDocument(PLACE, bytes("marked document"));
  await storage.writeDocument([...PLACE, "c", "consumer"], bytes("marked consumer"));
  const journal = await storage.openJournal([...PLACE, "c", "state"]);
  for (let i = 0; i < 3; i++) journal.append(bytes(`marked state ${i}`));
  await journal.flush();
  await storage.close();
}

/** Opens all of it, in the order in which a server does, and lets be done what is done in the background. */
async function checkWhole(disk: SimulatedDisk, options: KeptOptions, settledBefore = true): Promise<void> {
  const storage = await openStorage(disk, SEGMENT, undefined, options.encryption);
  assert.equal(text((await storage.readDocument(PLACE))!), "marked document");
  const store = await storage.openStream(PLACE, options);
  assert.equal(text((await storage.readDocument([...PLACE, "c", "consumer"]))!), "marked consumer");
  const journal = await storage.openJournal([...PLACE, "c", "state"]);
  assert.deepEqual(journal.found.map(text), ["marked state 0", "marked state 1", "marked state 2"]);
  await check(store);
  if (settledBefore) await settled();
  await check(store);
  assert.deepEqual(storage.damaged, []);
  await storage.close();
}

const CHANGES = [
  ["a plain store is encrypted", DURABLE, ENCRYPTED, "chacha"],
  ["a plain, compressed store is encrypted", COMPRESSED, ENCRYPTED_COMPRESSED, "chacha"],
  ["a store gets another cipher", ENCRYPTED, AES, "aes"],
  ["a compressed store gets another cipher", AES_COMPRESSED, ENCRYPTED_COMPRESSED, "chacha"],
  [
    "a store gets another key and another cipher",
    ENCRYPTED,
    { ...DURABLE, encryption: encrypted("new", "aes", "the key") },
    "aes",
  ],
] as const;

for (const [what, before, after, cipher] of CHANGES) {
  test(`${what}: all is converted, also what was removed meanwhile`, async () => {
    const disk = new SimulatedDisk();
    await whole(disk, before);
    await checkWhole(disk, after);
    assertKind(disk, cipher, after.compression === "s2");
    assertSecret(disk);
    for (const path of disk.files().keys()) {
      if (path.endsWith(".journal")) assert.ok(path.includes(`.${cipher}.`), path);
    }
    await checkWhole(disk, after);
  });

  test(`${what}: whenever the power is cut meanwhile, all is there, and is converted in the end`, async () => {
    const disk = new SimulatedDisk();
    await whole(disk, before);
    for (let cut = 1; ; cut++) {
      const cutting = disk.copy();
      let ended = false;
      const halted = new Promise<void>((resolve) => {
        cutting.before = (call) => {
          if (call === cut) {
            cutting.halt();
            resolve();
          }
          return undefined;
        };
      });
      const done = checkWhole(cutting, after).then(() => {
        ended = true;
      });
      await Promise.race([halted, done]);
      let choice = cut;
      const left = cutting.crash((options) => {
        choice = (Math.imul(choice, 1_103_515_245) + 12_345) >>> 0;
        return (choice >>> 16) % options;
      });
      await checkWhole(left, after).catch((error: unknown) => {
        throw new Error(`cut before call ${cut}`, { cause: error });
      });
      assertSecret(left);
      for (const path of segments(left)) assert.ok(path.includes(`.${cipher}.`), path);
      if (ended) break;
    }
  });
}

test("what is written to a plain store is encrypted at once", async () => {
  const disk = new SimulatedDisk();
  const { storage } = await openStream(disk, 100_000, DURABLE);
  await storage.close();
  const opened = await openStream(disk, 100_000, ENCRYPTED);
  opened.store.append("marked.subject", undefined, bytes("marked payload"), 1);
  await opened.store.flush();
  assertSecret(disk);
});

test("what is written to a plain store whose disk was full when it was opened is encrypted, too", async () => {
  const disk = new SimulatedDisk();
  const { storage } = await openStream(disk, 100_000, DURABLE);
  await storage.close();
  const plain = await openStream(disk, 100_000, DURABLE);
  plain.store.append("plain", undefined, bytes("plain"), 1);
  await plain.storage.close();
  const clock = new VirtualClock();
  const again = await openStorage(disk, 100_000, clock, encrypted());
  disk.before = (_call, name, path) => (name === "write" && path.endsWith(".log") ? "full" : undefined);
  const store = await again.openStream(PLACE, DURABLE);
  await assert.rejects(store.flush(), { code: "full" });
  await settled();
  disk.before = undefined;
  await clock.advance(2000);
  store.append("marked.subject", undefined, bytes("marked payload"), 1);
  await store.flush();
  assertSecret(disk);
  assert.equal(text((await store.get(1))!.payload), "plain");
});

test("a change of the key writes the document with the stream's key anew, and nothing else; the key before is of no use then", async () => {
  const disk = new SimulatedDisk();
  await whole(disk, ENCRYPTED);
  const before = disk.copy().files();
  const changed: KeptOptions = { ...DURABLE, encryption: encrypted("new", "chacha", "the key") };
  const opened = await openStorage(disk, SEGMENT, undefined, changed.encryption);
  await opened.readDocument(PLACE);
  await opened.close();
  for (const [path, content] of disk.files()) {
    const same = Buffer.compare(content, before.get(path)!) === 0;
    assert.equal(same, !KEY_FILES.test(path), path);
  }
  await checkWhole(disk, { ...DURABLE, encryption: encrypted("new") });
  const old = await openStorage(disk, SEGMENT, undefined, encrypted());
  await assert.rejects(old.openStream(PLACE, DURABLE), { code: "encrypted" });
});

test("records cannot be moved, nor taken from another stream or segment", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, undefined, ENCRYPTED);
  for (const payload of ["first", "other"]) store.append("a", undefined, bytes(payload), 1);
  await store.flush();
  await storage.close();
  const [path] = segments(disk);
  const content = disk.files().get(path)!;
  // The bodies of the two are of one size: they change their places, and so do the checksums of them.
  const starts = [...content.keys()].filter(
    (at) => at % 8 === 0 && content[at + 4] === 1 && content[at + 5] === 2,
  );
  assert.equal(starts.length, 2);
  const size = starts[1] - starts[0];
  const swapped = content.slice();
  for (const [from, to] of [starts, [...starts].reverse()]) {
    swapped.set(content.subarray(from + 48, from + size), to + 48);
    swapped.set(content.subarray(from + 32, from + 36), to + 32);
  }
  const opened = await openStream(disk.copy(path, swapped), undefined, ENCRYPTED);
  for (const seq of [1, 2]) assert.equal(await opened.store.get(seq), undefined);
});

test("what is encrypted is of use only with its own header", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, undefined, ENCRYPTED);
  store.append("a", undefined, bytes("payload"), 1000);
  await store.flush();
  await storage.close();
  const [path] = segments(disk);
  const words = new Int32Array(disk.files().get(path)!.slice().buffer);
  const at = words.findIndex((word, w) => w % 2 === 1 && (word & 0xffff) === 0x201) - 1;
  const salt = Number.parseInt(/-(\w+)\.chacha/.exec(path)![1], 16);
  for (const word of [6, 9, 11]) {
    const forged = words.slice();
    forged[at + word] += 1;
    forged[at] = checksum(forged, at + 1, at + 12, seedAt(salt, at * 4));
    const { store: found } = await openStream(
      disk.copy(path, new Uint8Array(forged.buffer)),
      undefined,
      ENCRYPTED,
    );
    assert.equal(await found.get(1), undefined, `word ${word}`);
    assert.deepEqual(found.state.lost?.ranges, [[1, 1]]);
  }
});

test("a plain message that was put into an encrypted file is not served", async () => {
  const secret = new SimulatedDisk();
  const plain = new SimulatedDisk();
  for (const [disk, options] of [
    [secret, ENCRYPTED],
    [plain, DURABLE],
  ] as const) {
    const { store } = await openStream(disk, undefined, options);
    store.append("a", undefined, bytes("what was stored"), 1);
    await store.flush();
  }
  const [to] = segments(secret);
  const [from] = segments(plain);
  const [, generation, salt] = /-(\w+)-(\w+)\./.exec(to)!;
  assert.ok(generation !== "" && salt !== "");
  // The same chance has made both: their salts are made the same by the file's name.
  const forged = new SimulatedDisk();
  await forged.makeDirectory(to.slice(0, to.lastIndexOf("/")));
  for (const [path, content] of secret.files()) {
    const file = await forged.open(path === to ? from.replace(".log", ".chacha.log") : path, true);
    await file.write(path === to ? plain.files().get(from)! : content, 0);
  }
  const { store } = await openStream(forged.copy(), undefined, ENCRYPTED);
  assert.equal(await store.get(1), undefined);
  assert.deepEqual(store.state.lost?.ranges, [[1, 1]]);
});
