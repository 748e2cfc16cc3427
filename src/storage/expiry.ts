import type { SavedArray, SavedArrays } from "./saved-arrays.ts";
import { TTL_NEVER } from "./store.ts";

/** A block has the TTLs of 2^10 sequences, a group is 2^6 blocks. */
const BLOCK_SIZE = 1 << 10;
const GROUP_BLOCKS = 1 << 6;
const GROUP_SIZE = BLOCK_SIZE * GROUP_BLOCKS;
const NEVER = Number.POSITIVE_INFINITY;

/** Of a run of sequences: none of their messages is due earlier than `due` (ms since the epoch). */
interface Block {
  due: number;
  /** How many messages with a TTL there are. */
  count: number;
  /** In s; 0 for none. */
  readonly ttls: Uint32Array;
  /** When they are due, in ms since the epoch. */
  readonly dues: Float64Array;
}

interface Group {
  due: number;
  count: number;
  readonly blocks: (Block | undefined)[];
}

/**
 * The messages of a stream that have a TTL of their own, and when they are due. Streams without such messages hold nothing here; with them,
 * 12 bytes each.
 */
export class Expiry {
  /** How many messages have a TTL. */
  size = 0;
  readonly #groups = new Map<number, Group>();

  /** The TTL of a message in s, 0 for none. */
  ttlOf(seq: number): number {
    if (this.size === 0) return 0;
    return this.#blockOf(seq)?.ttls[seq % BLOCK_SIZE] ?? 0;
  }

  /** A message with a TTL has come. */
  add(seq: number, time: number, ttl: number): void {
    const number = Math.floor(seq / GROUP_SIZE);
    let group = this.#groups.get(number);
    if (group === undefined) this.#groups.set(number, (group = { due: NEVER, count: 0, blocks: [] }));
    const at = Math.floor((seq % GROUP_SIZE) / BLOCK_SIZE);
    const block = (group.blocks[at] ??= {
      due: NEVER,
      count: 0,
      ttls: new Uint32Array(BLOCK_SIZE),
      dues: new Float64Array(BLOCK_SIZE),
    });
    const due = ttl === TTL_NEVER ? NEVER : time + ttl * 1000;
    block.ttls[seq % BLOCK_SIZE] = ttl;
    block.dues[seq % BLOCK_SIZE] = due;
    block.count += 1;
    group.count += 1;
    this.size += 1;
    if (due < block.due) block.due = due;
    if (due < group.due) group.due = due;
  }

  /** A message has gone. */
  remove(seq: number): void {
    if (this.size === 0) return;
    const number = Math.floor(seq / GROUP_SIZE);
    const group = this.#groups.get(number);
    const at = Math.floor((seq % GROUP_SIZE) / BLOCK_SIZE);
    const block = group?.blocks[at];
    if (group === undefined || block === undefined || block.ttls[seq % BLOCK_SIZE] === 0) return;
    block.ttls[seq % BLOCK_SIZE] = 0;
    block.count -= 1;
    group.count -= 1;
    this.size -= 1;
    if (block.count === 0) group.blocks[at] = undefined;
    if (group.count === 0) this.#groups.delete(number);
  }

  /** All have gone. */
  clear(): void {
    this.#groups.clear();
    this.size = 0;
  }

  /** When the next one is due, in ms since the epoch; undefined for none. It may be too early, until {@link due} has looked. */
  next(): number | undefined {
    let next = NEVER;
    for (const { due } of this.#groups.values()) if (due < next) next = due;
    return next === NEVER ? undefined : next;
  }

  /** Up to `limit` of those due at `now`, in order of the time when they were. They stay. */
  due(now: number, limit: number): number[] {
    const found: { seq: number; due: number }[] = [];
    for (const [number, group] of this.#groups) {
      if (found.length === limit) break;
      if (group.due > now) continue;
      group.due = NEVER;
      for (let at = 0; at < group.blocks.length; at++) {
        const block = group.blocks[at];
        if (block === undefined) continue;
        if (block.due <= now && found.length < limit) {
          collect(block, number * GROUP_SIZE + at * BLOCK_SIZE, now, limit, found);
        }
        if (block.due < group.due) group.due = block.due;
      }
    }
    return found.sort((a, b) => a.due - b.due || a.seq - b.seq).map(({ seq }) => seq);
  }

  /** All there is, in blocks, for {@link load}. */
  *save(): Generator<SavedArray[]> {
    for (const [number, { blocks }] of this.#groups) {
      for (let at = 0; at < blocks.length; at++) {
        const block = blocks[at];
        if (block === undefined) continue;
        yield [Float64Array.of(number * GROUP_SIZE + at * BLOCK_SIZE), block.ttls, block.dues];
      }
    }
  }

  /** How many blocks {@link save} gives. */
  get blocks(): number {
    let count = 0;
    for (const { blocks } of this.#groups.values())
      for (const each of blocks) if (each !== undefined) count += 1;
    return count;
  }

  /** Takes in what was saved, a block at a time. */
  load(saved: SavedArrays): void {
    const [base] = saved.f64();
    const ttls = saved.u32();
    const dues = saved.f64();
    for (let at = 0; at < ttls.length; at++) {
      if (ttls[at] !== 0) this.add(base + at, dues[at] === NEVER ? 0 : dues[at] - ttls[at] * 1000, ttls[at]);
    }
  }

  #blockOf(seq: number): Block | undefined {
    const group = this.#groups.get(Math.floor(seq / GROUP_SIZE));
    return group?.blocks[Math.floor((seq % GROUP_SIZE) / BLOCK_SIZE)];
  }
}

/** Looks for what is due in a block, and sets its `due` right unless there is more than `limit` allows. */
function collect(
  block: Block,
  base: number,
  now: number,
  limit: number,
  found: { seq: number; due: number }[],
): void {
  let earliest = NEVER;
  for (let at = 0; at < BLOCK_SIZE; at++) {
    if (block.ttls[at] === 0) continue;
    const due = block.dues[at];
    if (due < earliest) earliest = due;
    if (due <= now && found.length < limit) found.push({ seq: base + at, due });
  }
  block.due = earliest;
}
