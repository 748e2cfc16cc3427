import type { VarintReader } from "./varints.ts";

/** The form of nats-server's sets of sequences: a magic byte, a version, how many nodes and sequences, and nodes of a first sequence, bits and a height. */
const MAGIC = 22;
/** How many words of 64 bits a node has, by version. */
const WORDS: Readonly<Record<number, number>> = { 1: 64, 2: 32 };

/**
 * Reads a set, and gives out its sequences node by node. Whether it can be read, `from.failed` says.
 */
export function* readSequenceSet(from: VarintReader): Generator<readonly number[]> {
  const [magic, version] = from.bytes(2);
  const words = WORDS[version ?? 0];
  const counts = from.bytes(8);
  if (from.failed || magic !== MAGIC || words === undefined) {
    from.failed = true;
    return;
  }
  const nodes = new DataView(counts.buffer, counts.byteOffset).getUint32(0, true);
  for (let left = nodes; left > 0; left--) {
    const node = from.bytes(8 + words * 8 + 2);
    if (from.failed) return;
    yield sequencesOf(node, words);
  }
}

function sequencesOf(node: Uint8Array, words: number): number[] {
  const view = new DataView(node.buffer, node.byteOffset);
  const base = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  const sequences: number[] = [];
  for (let half = 0; half < 2 * words; half++) {
    let bits = view.getUint32(8 + 4 * half, true);
    while (bits !== 0) {
      const lowest = 31 - Math.clz32(bits & -bits);
      sequences.push(base + 32 * half + lowest);
      bits &= bits - 1;
    }
  }
  return sequences;
}
