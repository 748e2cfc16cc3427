/**
 * Writes to a stream until it is killed, and says on stdout what was acknowledged: "ack <seq>" for all up to it, "gone <seq>" for a removal.
 * A stream of at most 1,500 messages, the oldest of which make room; now and then one in the middle is removed.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import { encryptionIn, killOptions, payloadOf, SEGMENT_BYTES, subjectOf } from "./killed.ts";

const runtime = nodeRuntime();
const disk = await runtime.loadDisk();
const [, , directory, compression, round] = process.argv;
const encryption = encryptionIn(Number(round));
const storage = await FileStorage.open(directory, {
  ...runtime,
  disk,
  segmentBytes: SEGMENT_BYTES,
  encryption,
});
const store = await storage.openStream(["S"], killOptions(compression));
store.listener = {
  synced: (seq) => void writeSync(1, `ack ${seq}\n`),
  refused: (_seq, error) => {
    throw error;
  },
  lost: (seq) => void writeSync(1, `lost ${seq}\n`),
};
const everything = store.filter([]);
writeSync(1, "open\n");
for (let round = 0; ; round++) {
  const burst = 1 + Math.floor(Math.random() * 40);
  for (let i = 0; i < burst; i++) {
    const seq = store.state.lastSeq + 1;
    store.append(subjectOf(seq), undefined, payloadOf(seq), Date.now());
    if (store.state.messages > 1500) store.remove(store.state.firstSeq, { because: seq });
  }
  if (round % 5 === 0) {
    const { firstSeq, lastSeq } = store.state;
    const gone = await store.next(everything, firstSeq + Math.floor((lastSeq - firstSeq) * Math.random()));
    if (gone !== 0 && gone <= store.syncedSeq && store.remove(gone, { erase: round % 10 === 0 })) {
      void store.flush().then(() => writeSync(1, `gone ${gone}\n`));
    }
  }
  if (round % 3 === 0) await store.flush();
  else await new Promise((resolve) => setImmediate(resolve));
}
