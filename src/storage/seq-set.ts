/** Sequences of a part of the set, a bit each. */
const PART_BITS = 16 * 1024;

/** A set of sequences, which takes little when they lie close together. */
export class SeqSet {
  readonly #parts = new Map<number, Uint8Array>();

  /** Adds all from `first` to `last`, both of them too. */
  add(first: number, last: number): void {
    for (let seq = first; seq <= last; ) {
      const number = Math.floor(seq / PART_BITS);
      let part = this.#parts.get(number);
      if (part === undefined) this.#parts.set(number, (part = new Uint8Array(PART_BITS / 8)));
      const from = seq - number * PART_BITS;
      const to = Math.min(last - number * PART_BITS, PART_BITS - 1);
      setBits(part, from, to);
      seq += to - from + 1;
    }
  }

  /** Its ranges in order. Those that go from one part of the set to the next come in pieces. */
  *ranges(): Generator<readonly [first: number, last: number]> {
    for (const number of [...this.#parts.keys()].sort((a, b) => a - b)) {
      const part = this.#parts.get(number)!;
      const base = number * PART_BITS;
      let first = -1;
      for (let bit = 0; bit < PART_BITS; bit++) {
        if (first < 0 && (bit & 7) === 0 && part[bit >> 3] === 0) {
          bit += 7;
          continue;
        }
        const set = (part[bit >> 3] & (1 << (bit & 7))) !== 0;
        if (set && first < 0) first = bit;
        if (set || first < 0) continue;
        yield [base + first, base + bit - 1];
        first = -1;
      }
      if (first >= 0) yield [base + first, base + PART_BITS - 1];
    }
  }
}

function setBits(part: Uint8Array, from: number, to: number): void {
  let bit = from;
  for (; bit <= to && (bit & 7) !== 0; bit++) part[bit >> 3] |= 1 << (bit & 7);
  const whole = (to + 1) >> 3;
  if (bit >> 3 < whole) {
    part.fill(0xff, bit >> 3, whole);
    bit = whole * 8;
  }
  for (; bit <= to; bit++) part[bit >> 3] |= 1 << (bit & 7);
}
