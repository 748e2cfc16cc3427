import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { sha256 } from "../../src/jetstream/sha256.ts";
import { Crc32c } from "../../src/jetstream/snapshot/crc32c.ts";
import { SnapshotError } from "../../src/jetstream/snapshot/errors.ts";
import { HighwayHash } from "../../src/jetstream/snapshot/highway-hash.ts";
import { halvesFromMs, msFromHalves } from "../../src/jetstream/snapshot/nanoseconds.ts";
import { S2Reader } from "../../src/jetstream/snapshot/s2-reader.ts";
import { S2Writer } from "../../src/jetstream/snapshot/s2-writer.ts";
import { tarHeader } from "../../src/jetstream/snapshot/tar-writer.ts";
import { VarintReader, VarintWriter } from "../../src/jetstream/snapshot/varints.ts";
import { S2BlockDecoder, S2Error } from "../../src/s2/block-decoder.ts";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { VirtualClock } from "../support/simulated.ts";
import { listStore, readSnapshot, snapshotSource, timeOf, writeSnapshot } from "../support/snapshots.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Puts bytes into S2 frames. */
function packed(bytes: Uint8Array): Buffer {
  const s2 = new S2Writer();
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + s2.room);
    s2.add(bytes, at, end);
    at = end;
    if (s2.room === 0) frames.push(...s2.frames().map((frame) => frame.slice()));
  }
  return Buffer.concat([...frames, ...s2.frames()]);
}

/** Takes bytes, which come in pieces of `size`, out of their S2 frames. */
function unpacked(bytes: Uint8Array, size: number): Buffer {
  const s2 = new S2Reader();
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    s2.push(bytes.subarray(at, at + size));
    for (let piece = s2.next(); piece !== undefined; piece = s2.next()) pieces.push(piece.slice());
  }
  s2.end();
  return Buffer.concat(pieces);
}

test("SHA-256 is that of the platform, CRC-32C and HighwayHash have the values of their specifications", () => {
  for (let length = 0; length < 200; length++) {
    const bytes = new Uint8Array(length).fill(length);
    assert.deepEqual(Buffer.from(sha256(bytes)), createHash("sha256").update(bytes).digest());
  }
  const crc = new Crc32c();
  for (const [bytes, expected] of [
    [bytesOf("123456789"), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ] as const) {
    crc.reset();
    crc.update(bytes, 0, 5);
    crc.update(bytes, 5, bytes.length);
    assert.equal(crc.value >>> 0, expected);
  }
  // The first values of the reference's own list, whose key and data count up.
  const counting = Uint8Array.from({ length: 64 }, (_, i) => i);
  const hash = new HighwayHash(counting.subarray(0, 32));
  const sum = new Uint8Array(8);
  for (const [length, expected] of [
    [0, "907a56de22c26e53"],
    [1, "7eab43aac7cddd78"],
    [2, "b8d0569ab0b53d62"],
    [3, "5c6befab8a463d80"],
    [64, "75542c5d4cd2a6ff"],
  ] as const) {
    for (const cut of [0, length >> 1, length]) {
      hash.reset();
      hash.update(counting, 0, cut);
      hash.update(counting, cut, length);
      hash.digest(sum, 0);
      assert.equal(Buffer.from(sum).reverse().toString("hex"), expected);
    }
  }
});

test("numbers of variable length and moments come back as they were", () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.maxSafeInteger(),
      fc.integer({ min: 0, max: 4e15 }),
      (one, two, micros) => {
        // Not -0, which there is none of in bytes.
        const half = Math.trunc(two / 2) + 0;
        const writer = new VarintWriter();
        writer.unsigned(one);
        writer.signed(half);
        writer.time(micros / 1_000);
        const reader = new VarintReader(writer.bytes);
        assert.equal(reader.unsigned(), one);
        assert.equal(reader.signed(), half);
        assert.equal(reader.time(), micros / 1_000);
        assert.equal(reader.failed, false);
        reader.unsigned();
        assert.equal(reader.failed, true);
        const [high, low] = halvesFromMs(micros / 1_000);
        assert.equal(BigInt(high) * 2n ** 32n + BigInt(low), BigInt(micros) * 1_000n);
        assert.equal(msFromHalves(high, low), micros / 1_000);
      },
    ),
  );
});

test("what is compressed comes out again, in whatever pieces", () => {
  const text = fc
    .array(fc.tuple(fc.string({ maxLength: 40 }), fc.integer({ min: 1, max: 300 })), { maxLength: 20 })
    .map((parts) => bytesOf(parts.map(([part, times]) => part.repeat(times)).join("")));
  const noise = fc.uint8Array({ maxLength: 2_000 });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(text, noise), { maxLength: 8 }),
      fc.integer({ min: 1, max: 500 }),
      (parts, size) => {
        const bytes = Buffer.concat(parts);
        assert.ok(unpacked(packed(bytes), size).equals(bytes));
      },
    ),
    { numRuns: 60 },
  );
  const long = Buffer.from("many alike ".repeat(100_000));
  assert.ok(packed(long).length < long.length / 15);
  assert.ok(unpacked(packed(long), 10_000).equals(long));
});

test("all ways in which S2 says a literal or a copy are understood", () => {
  const literal = [3 << 2, 1, 2, 3, 4];
  const cases: [block: number[], expected: number[]][] = [
    [literal, [1, 2, 3, 4]],
    [
      [60 << 2, 3, 1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    [
      [61 << 2, 3, 0, 1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    [
      [62 << 2, 3, 0, 0, 1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    [
      [63 << 2, 3, 0, 0, 0, 1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    // Copies with a distance in 11, 16 and 32 bits; the first two run into themselves.
    [
      [...literal, (1 << 2) | 1, 2],
      [1, 2, 3, 4, 3, 4, 3, 4, 3],
    ],
    [
      [...literal, (5 << 2) | 2, 4, 0],
      [1, 2, 3, 4, 1, 2, 3, 4, 1, 2],
    ],
    [
      [...literal, (1 << 2) | 3, 3, 0, 0, 0],
      [1, 2, 3, 4, 2, 3],
    ],
    // Repeats of the distance 1, with their four ways to say a length.
    [
      [...literal, 2, 1, 0, (2 << 2) | 1, 0],
      [1, 2, 3, 4, ...Array(7).fill(4)],
    ],
    [
      [...literal, 2, 1, 0, (5 << 2) | 1, 0, 9],
      [1, 2, 3, 4, ...Array(1 + 8 + 9).fill(4)],
    ],
    [
      [...literal, 2, 1, 0, (6 << 2) | 1, 0, 1, 2],
      [1, 2, 3, 4, ...Array(1 + 4 + 256 + 513).fill(4)],
    ],
    [
      [...literal, 2, 1, 0, (7 << 2) | 1, 0, 1, 0, 1],
      [1, 2, 3, 4, ...Array(1 + 4 + 2 * 65_536 + 1).fill(4)],
    ],
  ];
  const decoder = new S2BlockDecoder();
  for (const [block, expected] of cases) {
    for (const step of [1, 3, 1_000_000]) {
      const to = new Uint8Array(expected.length);
      decoder.start(Uint8Array.from(block), 0, to, expected.length);
      while (!decoder.step(step));
      assert.deepEqual([...to], expected);
    }
    // Cut short, or with another length, it is damaged.
    for (const length of [expected.length - 1, expected.length + 1]) {
      decoder.start(Uint8Array.from(block), 0, new Uint8Array(length), length);
      assert.throws(() => {
        while (!decoder.step(10));
      }, S2Error);
    }
  }
  for (const block of [
    [2, 1, 0],
    [...literal, 2, 5, 0],
    [...literal, 1, 0],
    [...literal, 1],
  ]) {
    decoder.start(Uint8Array.from(block), 0, new Uint8Array(100), 100);
    assert.throws(() => {
      while (!decoder.step(10));
    }, S2Error);
  }
});

const FIXTURE = join(import.meta.dirname, "../fixtures/jetstream/snapshot-2.14");
const theirs = readFileSync(join(FIXTURE, "stream.tar.s2"));

test("a backup of nats-server 2.14 is read to the messages that it had", () => {
  const { state, messages } = JSON.parse(readFileSync(join(FIXTURE, "messages.json"), "utf8")) as {
    state: { first_seq: number; last_seq: number };
    messages: { seq: number; subject: string; hdrs?: string; data?: string; time: string }[];
  };
  for (const size of [1, 100, theirs.length]) {
    const read = readSnapshot(theirs, "FIX", size);
    assert.deepEqual(
      [...read.messages.values()],
      messages.map(({ seq, subject, hdrs = "", data = "", time }) => ({
        seq,
        time: timeOf(time),
        subject,
        headers: hdrs,
        payload: data,
      })),
    );
    assert.deepEqual(read.bounds, { firstSeq: state.first_seq, lastSeq: state.last_seq });
    assert.equal(read.created, "2026-11-23T05:49:48.786619228Z");
    const [{ name, config, state: consumer }] = read.consumers;
    assert.deepEqual([name, config.durableName, config.filterSubject], ["dur", "dur", "fix.a"]);
    assert.deepEqual(consumer.delivered, { consumer: 3, stream: 10 });
    assert.deepEqual(consumer.ackFloor, { consumer: 0, stream: 6 });
    assert.deepEqual([...consumer.pending.keys()], [7, 8]);
  }
});

/** A store with messages and gaps, by chance. */
const filled = fc
  .array(
    fc.tuple(
      fc.constantFrom("a", "a.b", "ü.x"),
      fc.option(fc.constant(bytesOf("NATS/1.0\r\nA: b\r\n\r\n")), { nil: undefined }),
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(0, 0, 0, 1, 20_000),
      fc.boolean(),
    ),
    { maxLength: 40 },
  )
  .map((parts) => {
    const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: 0 });
    parts.forEach(([subject, headers, payload, gap, removed], i) => {
      if (gap > 0) store.skip(gap);
      const seq = store.append(subject, headers, payload, 1_700_000_000_000 + i / 8);
      if (removed && i % 3 === 0) store.remove(seq);
    });
    return store;
  });

const CONFIG = { name: "S", subjects: ["s"], retention: "limits", storage: "file" };

test("what we write we read, in both forms, with consumers", async () => {
  await fc.assert(
    fc.asyncProperty(
      filled,
      fc.constantFrom("tar", "archive"),
      fc.integer({ min: 1, max: 5_000 }),
      async (store, form, size) => {
        const time = 1_700_000_000_000;
        const consumer = {
          delivered: { consumer: 9, stream: 7 },
          ackFloor: { consumer: 3, stream: 2 },
          pending: new Map([
            [3, { consumerSeq: 4, time }],
            [7, { consumerSeq: 9, time: time + 1_000 }],
            [2 ** 40, { consumerSeq: 10, time }],
          ]),
          redelivered: new Map([[3, 2]]),
        };
        const name = "c".repeat(120);
        const source = snapshotSource(store, CONFIG, {
          [name]: [
            {
              name,
              durable_name: name,
              deliver_policy: "all",
              ack_policy: "explicit",
              replay_policy: "instant",
            },
            consumer,
          ],
        });
        const read = readSnapshot(await writeSnapshot(source, form), "S", size);
        assert.deepEqual([...read.messages.values()], await listStore(store));
        assert.equal(read.bounds!.lastSeq, store.state.lastSeq);
        const [found] = read.consumers;
        assert.equal(found.name, name);
        assert.equal(found.config.name, name);
        // What is behind the stream's end is none of the snapshot.
        const { lastSeq } = store.state;
        assert.deepEqual(
          [...found.state.pending].sort(),
          [...consumer.pending].filter(([seq]) => seq <= lastSeq),
        );
        assert.deepEqual(found.state.delivered, { consumer: 9, stream: Math.min(7, lastSeq) });
      },
    ),
    { numRuns: 60 },
  );
});

test("a snapshot that is cut short anywhere, or has one bit changed, is refused", async () => {
  const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: 0 });
  for (let i = 0; i < 5; i++) store.append("a", undefined, bytesOf(`message ${i}`), 1_700_000_000_000 + i);
  const source = snapshotSource(store, CONFIG);
  const archive = await writeSnapshot(source, "archive");
  const tar = await writeSnapshot(source, "tar");
  for (const [bytes, name] of [
    [theirs, "FIX"],
    [archive, "S"],
    [tar, "S"],
  ] as const) {
    const whole = readSnapshot(bytes, name);
    for (let length = 0; length < bytes.length; length += length < 400 ? 1 : 37) {
      assert.throws(() => readSnapshot(bytes.subarray(0, length), name), SnapshotError, `cut at ${length}`);
    }
    for (let i = 0; i < bytes.length; i += i < 400 ? 1 : 37) {
      const changed = Uint8Array.from(bytes);
      changed[i] ^= 1 << (i % 8);
      // A bit may not matter: a copy from elsewhere, where there are the same bytes.
      let read: unknown = whole;
      try {
        read = readSnapshot(changed, name);
      } catch (error) {
        assert.ok(error instanceof SnapshotError, `bit changed in ${i}: ${error}`);
      }
      assert.deepEqual(read, whole, `bit changed in ${i}`);
    }
  }
});

test("whatever is within the frames, it is read or refused, and nothing else happens", async () => {
  const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: 0 });
  for (let i = 0; i < 5; i++) store.append("a", undefined, bytesOf(`message ${i}`), 1_700_000_000_000 + i);
  const archive = unpacked(await writeSnapshot(snapshotSource(store, CONFIG), "archive"), 100_000);
  const tar = unpacked(theirs, 100_000);
  let refused = 0;
  for (const [bytes, name] of [
    [archive, "S"],
    [tar, "FIX"],
  ] as const) {
    for (let i = 0; i < bytes.length; i += name === "S" ? 1 : 17) {
      const changed = Uint8Array.from(bytes);
      changed[i] ^= 0x81;
      try {
        readSnapshot(packed(changed), name);
      } catch (error) {
        assert.ok(error instanceof SnapshotError, `byte ${i}: ${error}`);
        refused++;
      }
      try {
        readSnapshot(packed(bytes.subarray(0, i)), name);
        assert.fail(`cut at ${i}`);
      } catch (error) {
        assert.ok(error instanceof SnapshotError, `cut at ${i}: ${error}`);
      }
    }
  }
  assert.ok(refused > 500);
});

/** A tar archive of these files. */
function tarOf(...files: [name: string, bytes: Uint8Array, size?: number, type?: string][]): Buffer {
  const parts = files.flatMap(([name, bytes, size = bytes.length, type = "0"]) => {
    const header = tarHeader(name, size, 0);
    if (type !== "0") {
      header[156] = type.charCodeAt(0);
      const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 0x20 : byte), 0);
      header.set(bytesOf(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    }
    return [header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, new Uint8Array(1_024)]);
}

test("hostile archives are refused with what is wrong", () => {
  const meta = bytesOf(JSON.stringify({ Created: "2026-01-01T00:00:00Z", name: "S" }));
  const record = new Uint8Array(64);
  new DataView(record.buffer).setUint32(0, 0x7fff_ffff, true);
  const cases: [Buffer, RegExp][] = [
    [tarOf(["../../etc/passwd", meta]), /^unexpected content \(account=\$G\)$/],
    [tarOf(["obs/../../meta.inf", meta]), /^unexpected content/],
    [tarOf(["msgs/", meta]), /^unexpected content/],
    [tarOf(["meta.inf", meta, meta.length, "2"]), /^unexpected content/],
    [tarOf(["msgs/1.blk", record]), /^meta.inf is missing$/],
    [tarOf(["meta.inf", bytesOf("{")]), /^unexpected end of JSON input$/],
    [tarOf(["meta.inf", bytesOf('{"name":"T"}')]), /^stream names do not match$/],
    [
      tarOf(["meta.inf", meta], ["msgs/1.blk", record]),
      /^malformed or corrupt message: sanity check failed$/,
    ],
    [tarOf(["meta.inf", meta], ["obs/C/meta.sum", meta]), /^error restoring consumer \["C"\]: no meta.inf$/],
    [tarOf(["meta.inf", meta], ["obs/C/o.dat", meta], ["obs/C/meta.inf", meta]), /^corrupt state file$/],
    [tarOf(["meta.inf", meta], ["obs/C/o.dat", meta, 8 ** 11 - 1]), /^"obs\/C\/o.dat" is too large$/],
    [
      tarOf(["meta.inf", meta], ["errors.txt", bytesOf("disk on fire")]),
      /^the snapshot is not complete: disk on fire$/,
    ],
    [tarOf(["x", meta, 300, "x"]), /^archive\/tar: invalid tar header$/],
    [Buffer.from("NATSARC1"), /^EOF$/],
    [Buffer.from("NATSARC1\x01\x00\x00\x00\x00a"), /^expected state.json first$/],
    [Buffer.concat([Buffer.from("NATSARC1"), Buffer.alloc(60, 0xff)]), /^archive: invalid archive stream$/],
  ];
  for (const [bytes, message] of cases) {
    assert.throws(() => readSnapshot(packed(bytes), "S"), { name: "SnapshotError", message });
  }
  // A block that says it is larger than any may be, before there is memory for it.
  const bomb = Buffer.from([
    0xff,
    6,
    0,
    0,
    ...bytesOf("S2sTwO"),
    0,
    9,
    0,
    0,
    0,
    0,
    0,
    0,
    0xff,
    0xff,
    0xff,
    0xff,
    0x0f,
  ]);
  assert.throws(() => readSnapshot(bomb, "S"), { message: "s2: corrupt input" });
  assert.throws(() => readSnapshot(Buffer.from([0xff, 6, 0, 0, ...bytesOf("S2sTwX")]), "S"), SnapshotError);
  assert.throws(() => readSnapshot(Buffer.from([0, 6, 0, 0]), "S"), SnapshotError);
});
