/** CRC-32C (Castagnoli; RFC 3720, appendix B.4), by tables for eight bytes at a time. */

const POLYNOMIAL = 0x82f63b78 | 0;

/** A running checksum. It holds its tables, so that nothing is computed before there is something to check. */
export class Crc32c {
  readonly #tables = makeTables();
  #state = -1;

  /** The checksum of what was added since the start, as a signed 32-bit number. */
  get value(): number {
    return ~this.#state;
  }

  /** Starts anew. */
  reset(): void {
    this.#state = -1;
  }

  /** Adds `bytes[start, end)`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    const t = this.#tables;
    let crc = this.#state;
    let at = start;
    for (const last = end - 8; at <= last; at += 8) {
      crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      crc =
        t[1792 + (crc & 0xff)] ^
        t[1536 + ((crc >>> 8) & 0xff)] ^
        t[1280 + ((crc >>> 16) & 0xff)] ^
        t[1024 + (crc >>> 24)] ^
        t[768 + bytes[at + 4]] ^
        t[512 + bytes[at + 5]] ^
        t[256 + bytes[at + 6]] ^
        t[bytes[at + 7]];
    }
    for (; at < end; at++) crc = t[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
    this.#state = crc;
  }
}

/** Table `k` (at `256 * k`) says what a byte comes to that `k` zero bytes follow. */
function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256];
    tables[i] = tables[before & 0xff] ^ (before >>> 8);
  }
  return tables;
}
