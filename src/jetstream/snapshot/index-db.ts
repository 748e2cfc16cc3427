import { readSequenceSet } from "./sequence-set.ts";
import { VarintReader } from "./varints.ts";

/** What `index.db` says of a stream beside its blocks. */
export interface IndexDb {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Messages that are in blocks, and are removed: a list for each step. */
  readonly removed: readonly (readonly number[])[];
  /** The last block, and the checksum of its last record: whether the blocks are those that are meant. */
  readonly lastBlock: number;
  readonly lastSum: Uint8Array;
}

const MAGIC = 11;
/** Versions 2 and 3 each brought a number for a block, 4 one for a subject. */
const VERSIONS = [1, 2, 3, 4];

/** At the end there is a checksum, which says nothing here: the frames around have their own. */
const CHECKSUM = 8;

/** How many subjects are passed over in one step. */
const STEP = 1_000;

/**
 * Reads nats-server's `index.db`: the stream's state, its subjects, and of each block what is removed from it. Gives the rest of the program a turn at each
 * step. Returns undefined when it cannot be read, for then the blocks say nearly all.
 */
export function* readIndexDb(bytes: Uint8Array): Generator<void, IndexDb | undefined> {
  const from = new VarintReader(bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM)));
  const [magic, version] = from.bytes(2);
  if (from.failed || magic !== MAGIC || !VERSIONS.includes(version)) return undefined;
  from.unsigned();
  from.unsigned();
  const firstSeq = from.unsigned();
  from.signed();
  const lastSeq = from.unsigned();
  from.signed();
  yield* passSubjects(from, version);
  const removed: (readonly number[])[] = [];
  for (let blocks = from.unsigned(); blocks > 0 && !from.failed; blocks--) {
    const hasRemoved = readBlock(from, version);
    if (!hasRemoved) continue;
    for (const sequences of readSequenceSet(from)) {
      removed.push(sequences);
      yield;
    }
  }
  const lastBlock = from.unsigned();
  const lastSum = from.bytes(8);
  if (from.failed || !Number.isSafeInteger(firstSeq) || !Number.isSafeInteger(lastSeq)) return undefined;
  return { firstSeq, lastSeq, removed, lastBlock, lastSum };
}

function* passSubjects(from: VarintReader, version: number): Generator<void> {
  for (let left = from.unsigned(); left > 0 && !from.failed; left--) {
    const length = from.unsigned();
    if (length > 0) {
      from.bytes(length);
      const total = from.unsigned();
      from.unsigned();
      if (version >= 4 || total > 1) from.unsigned();
    }
    if (left % STEP === 0) yield;
  }
}

/** Passes a block's numbers; returns whether sequences follow that are removed. */
function readBlock(from: VarintReader, version: number): boolean {
  // Number, bytes, first sequence and time, last sequence and time.
  for (let i = 0; i < 6; i++) from.unsigned();
  const removed = from.unsigned();
  if (version >= 2) from.unsigned();
  if (version >= 3) from.unsigned();
  return removed > 0;
}
