import { assert } from "../protocol/assert.ts";
import { copyBytes } from "../protocol/bytes.ts";
import { encodeText } from "../protocol/text.ts";
import { NONCE_BYTES, TAG_BYTES } from "../seams/ciphers.ts";
import { checksum } from "./checksum.ts";

/**
 * Records, as they stand in the files (docs/storage.md has the drawing): a header of 48 bytes, the subject, the body; each part padded
 * with zeros to a multiple of 8 bytes, all numbers little-endian.
 */

/** The bytes of a record's header, without the subject. */
export const HEADER_BYTES = 48;

/** What a record is. */
export const KIND_MESSAGE = 1;
/** Says what was removed, and which sequence was the last one. */
export const KIND_CHANGE = 2;
/** Bytes kept for the store's user. */
export const KIND_NOTE = 3;
/** The last record of a segment that gets no more: says up to which sequence it goes. */
export const KIND_SEAL = 4;
/** The first record of a segment that was made of others: says which. */
export const KIND_MERGE = 5;
const LAST_KIND = KIND_MERGE;

/** Flag: the record is one of a batch, and not its last. */
export const FLAG_CONTINUES = 1;
/** Flag: the subject is not behind the header, but in the body, which is encrypted. */
export const FLAG_ENCRYPTED = 2;
/** Flag: it was encrypted; everything is where it was then. */
export const FLAG_DECRYPTED = 4;
const LAST_FLAGS = FLAG_DECRYPTED | FLAG_CONTINUES;

const TWO_32 = 2 ** 32;

/** Bytes in memory, in the two forms that records are read and written in. */
export interface RecordBytes {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** Room for records: a multiple of 8 bytes. */
export function recordBytes(size: number): RecordBytes {
  const bytes = new Uint8Array(padded(size));
  return { bytes, words: new Int32Array(bytes.buffer) };
}

/** Up to the next multiple of 8. */
export function padded(size: number): number {
  return (size + 7) & ~7;
}

/** All of a record but its subject and body. */
export interface RecordHead {
  kind: number;
  flags: number;
  seq: number;
  /** In microseconds since the epoch. */
  micros: number;
  /** How many sequences just before this one have no record, and should have none. */
  gap: number;
  /** All before this position of its file, in units of 8 bytes, was on disk when it was written. */
  durable: number;
  /** In seconds. */
  ttl: number;
}

/** The bytes that a record takes. */
export function recordSize(subject: number, headers: number, payload: number): number {
  return HEADER_BYTES + padded(subject) + padded(headers + payload);
}

/**
 * Writes a record at `at`, where there must be room, into bytes that are zero.
 * @param seed - {@link seedAt} of where the record will be in its file.
 * @returns the position after it.
 */
export function writeRecord(
  target: RecordBytes,
  at: number,
  seed: number,
  head: RecordHead,
  subject: string,
  headers: Uint8Array,
  payload: Uint8Array,
): number {
  const { bytes, words } = target;
  const subjectStart = at + HEADER_BYTES;
  const subjectEnd = putSubject(bytes, subjectStart, subject);
  const bodyStart = padded(subjectEnd);
  copyBytes(headers, 0, headers.length, bytes, bodyStart);
  copyBytes(payload, 0, payload.length, bytes, bodyStart + headers.length);
  const end = padded(bodyStart + headers.length + payload.length);
  const w = at >> 2;
  words[w + 1] = head.kind | (head.flags << 8) | ((subjectEnd - subjectStart) << 16);
  words[w + 2] = headers.length;
  words[w + 3] = payload.length;
  words[w + 8] = checksum(words, bodyStart >> 2, end >> 2, 0);
  putHead(words, w, head);
  words[w] = checksum(words, w + 1, bodyStart >> 2, seed);
  return end;
}

/** Writes a subject, and returns where it ends. */
export function putSubject(bytes: Uint8Array, start: number, subject: string): number {
  let end = start;
  for (let i = 0; i < subject.length; i++) {
    const code = subject.charCodeAt(i);
    if (code > 0x7f) {
      const encoded = encodeText(subject);
      bytes.set(encoded, start);
      return start + encoded.length;
    }
    bytes[end++] = code;
  }
  return end;
}

/** Writes what a head says, but for its kind and flags. */
export function putHead(words: Int32Array, w: number, head: RecordHead): void {
  words[w + 4] = head.seq | 0;
  words[w + 5] = Math.floor(head.seq / TWO_32);
  words[w + 6] = (head.micros % TWO_32) | 0;
  words[w + 7] = Math.floor(head.micros / TWO_32);
  words[w + 9] = head.gap;
  words[w + 10] = head.durable;
  words[w + 11] = head.ttl;
}

/** Copies a record, with another gap, to another position in another file. Returns the position after it. */
export function copyRecord(
  source: RecordBytes,
  record: FoundRecord,
  target: RecordBytes,
  at: number,
  seed: number,
  gap: number,
): number {
  target.bytes.set(source.bytes.subarray(record.at, record.end), at);
  const w = at >> 2;
  target.words[w + 9] = gap;
  target.words[w + 10] = 0;
  target.words[w] = checksum(target.words, w + 1, (at + record.bodyStart - record.at) >> 2, seed);
  return at + record.end - record.at;
}

/** What the checksum of a header begins with: a record counts only in the file, and at the place, that it was written to. */
export function seedAt(salt: number, position: number): number {
  return (salt + Math.imul(position / 8, 0x9e3779b1)) | 0;
}

/** A record that was found; positions are in the bytes that it was found in. One is filled again and again. */
export class FoundRecord implements RecordHead {
  kind = 0;
  flags = 0;
  seq = 0;
  micros = 0;
  gap = 0;
  durable = 0;
  ttl = 0;
  at = 0;
  /** Where that begins which the checksum of the body goes over, and that of the header does not. */
  bodyStart = 0;
  subjectStart = 0;
  subjectEnd = 0;
  headersStart = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Where the next record begins. */
  end = 0;
  #bodySum = 0;

  /**
   * Reads the header at `at`, and checks it with the subject.
   * @returns "read", "bad" when there is no record here, or "short" when the bytes end before that can be said. The body may be beyond their end.
   */
  read({ bytes, words }: RecordBytes, used: number, at: number, seed: number): "read" | "bad" | "short" {
    if (at + HEADER_BYTES > used) return "short";
    const w = at >> 2;
    const word = words[w + 1];
    const kind = word & 0xff;
    const flags = (word >>> 8) & 0xff;
    if (kind === 0 || kind > LAST_KIND || flags > LAST_FLAGS) return "bad";
    const subjectBytes = word >>> 16;
    const encrypted = flags >= FLAG_ENCRYPTED;
    const bodyStart = at + HEADER_BYTES + (encrypted ? 0 : padded(subjectBytes));
    if (bodyStart > used) return "short";
    if (checksum(words, w + 1, bodyStart >> 2, seed) !== words[w]) return "bad";
    this.kind = kind;
    this.flags = flags;
    this.at = at;
    this.bodyStart = bodyStart;
    this.subjectStart = at + HEADER_BYTES + (encrypted ? NONCE_BYTES : 0);
    this.subjectEnd = this.subjectStart + subjectBytes;
    this.headersStart = encrypted ? this.subjectEnd : bodyStart;
    this.payloadStart = this.headersStart + (words[w + 2] >>> 0);
    this.payloadEnd = this.payloadStart + (words[w + 3] >>> 0);
    // Not `padded`: a sum of lengths may be more than 31 bits.
    this.end = Math.ceil((this.payloadEnd + (encrypted ? TAG_BYTES : 0)) / 8) * 8;
    this.seq = (words[w + 4] >>> 0) + words[w + 5] * TWO_32;
    this.micros = (words[w + 6] >>> 0) + words[w + 7] * TWO_32;
    this.#bodySum = words[w + 8];
    this.gap = words[w + 9] >>> 0;
    this.durable = words[w + 10] >>> 0;
    this.ttl = words[w + 11] >>> 0;
    assert(bytes.length >= used, "no more is used than there is");
    return "read";
  }

  /** Whether the body, which must be there, is what was written. */
  bodyIsSound({ words }: RecordBytes): boolean {
    return checksum(words, this.bodyStart >> 2, this.end >> 2, 0) === this.#bodySum;
  }
}

/** Ranges of sequences and a floor, below which nothing is left, as the payload of a change record: LEB128 numbers. */
export function encodeChange(floor: number, seqs: number[]): Uint8Array {
  const ranges: number[] = [];
  seqs.sort((a, b) => a - b);
  for (let i = 0; i < seqs.length; ) {
    let last = i;
    while (last + 1 < seqs.length && seqs[last + 1] <= seqs[last] + 1) last += 1;
    ranges.push(seqs[i], seqs[last]);
    i = last + 1;
  }
  return encodeRanges(floor, ranges);
}

/** The same, of ranges: the first and the last sequence of each in turn, in order. */
export function encodeRanges(floor: number, ranges: readonly number[]): Uint8Array {
  const out: number[] = [];
  pushNumber(out, floor);
  let end = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    pushNumber(out, ranges[i] - end);
    pushNumber(out, ranges[i + 1] - ranges[i]);
    end = ranges[i + 1];
  }
  return Uint8Array.from(out);
}

/** Reads {@link encodeChange}: calls `removed` for each range (both ends belong to it) and returns the floor. */
export function decodeChange(
  bytes: Uint8Array,
  start: number,
  end: number,
  removed: (first: number, last: number) => void,
): number {
  let at = start;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const floor = number();
  let last = 0;
  while (at < end) {
    const first = last + number();
    last = first + number();
    removed(first, last);
  }
  return floor;
}

function pushNumber(out: number[], value: number): void {
  while (value >= 128) {
    out.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  out.push(value);
}
