import { NONCE_BYTES, TAG_BYTES } from "../seams/ciphers.ts";
import { checksum } from "./checksum.ts";
import { BOX_BYTES, type FileCipher } from "./encryption.ts";
import {
  FLAG_CONTINUES,
  FLAG_DECRYPTED,
  FLAG_ENCRYPTED,
  type FoundRecord,
  HEADER_BYTES,
  KIND_MESSAGE,
  KIND_NOTE,
  padded,
  putHead,
  putSubject,
  type RecordBytes,
  type RecordHead,
} from "./records.ts";

/** The words of a header that what is encrypted is bound to: all but the two checksums. */
const FIRST_WORDS = 7;
const BOUND_WORDS = 11;

/** Whether records of a kind have something in them that is to be secret. */
export function isSecret(kind: number): boolean {
  return kind === KIND_MESSAGE || kind === KIND_NOTE;
}

/** The bytes that an encrypted record takes. */
export function encryptedSize(subject: number, headers: number, payload: number): number {
  return HEADER_BYTES + padded(BOX_BYTES + subject + headers + payload);
}

/** What decrypts the records that a scan comes by. */
export interface RecordOpener {
  /** Decrypts a record of a kind that is secret where it stands, if it is not decrypted already. Returns whether it can be read. */
  openInPlace(source: RecordBytes, record: FoundRecord, seed: number): boolean;
}

/**
 * Records of one file, encrypted one by one (docs/storage.md): subject, headers and payload in one box, which is bound to the record's header and its place.
 * Decrypted ones have the same size and the same places, so that what is known of them stays right; they are only in files that are encrypted as a whole.
 */
export class RecordCipher implements RecordOpener {
  readonly #cipher: FileCipher;
  readonly #holdsDecrypted: () => boolean;
  readonly #bound = new Int32Array(BOUND_WORDS + 1);
  readonly #boundBytes = new Uint8Array(this.#bound.buffer);

  /** @param holdsDecrypted - whether the file is encrypted as a whole, so that decrypted records may be in it. */
  constructor(cipher: FileCipher, holdsDecrypted: () => boolean = () => false) {
    this.#cipher = cipher;
    this.#holdsDecrypted = holdsDecrypted;
  }

  /** Writes an encrypted record; see {@link import("./records.ts").writeRecord}. */
  write(
    target: RecordBytes,
    at: number,
    seed: number,
    head: RecordHead,
    subject: string,
    headers: Uint8Array,
    payload: Uint8Array,
  ): number {
    const { bytes, words } = target;
    const start = at + HEADER_BYTES + NONCE_BYTES;
    const subjectEnd = putSubject(bytes, start, subject);
    bytes.set(headers, subjectEnd);
    bytes.set(payload, subjectEnd + headers.length);
    const w = at >> 2;
    words[w + 1] = (subjectEnd - start) << 16;
    words[w + 2] = headers.length;
    words[w + 3] = payload.length;
    return this.#finish(target, at, seed, head);
  }

  /** Copies a record that is not encrypted, or decrypted, to another file; see {@link import("./records.ts").copyRecord}. */
  copy(
    source: RecordBytes,
    record: FoundRecord,
    target: RecordBytes,
    at: number,
    seed: number,
    gap: number,
  ): number {
    const { subjectStart, subjectEnd, headersStart, payloadStart, payloadEnd } = record;
    const { bytes, words } = target;
    const start = at + HEADER_BYTES + NONCE_BYTES;
    const subject = subjectEnd - subjectStart;
    bytes.set(source.bytes.subarray(subjectStart, subjectEnd), start);
    bytes.set(source.bytes.subarray(headersStart, payloadEnd), start + subject);
    const w = at >> 2;
    words[w + 1] = subject << 16;
    words[w + 2] = payloadStart - headersStart;
    words[w + 3] = payloadEnd - payloadStart;
    const { kind, flags, seq, micros, ttl } = record;
    return this.#finish(target, at, seed, {
      kind,
      flags: flags & FLAG_CONTINUES,
      seq,
      micros,
      gap,
      durable: 0,
      ttl,
    });
  }

  /** Completes a record of which the content is there, and the sizes. */
  #finish(target: RecordBytes, at: number, seed: number, head: RecordHead): number {
    const { bytes, words } = target;
    const w = at >> 2;
    words[w + 1] |= head.kind | ((head.flags | FLAG_ENCRYPTED) << 8);
    putHead(words, w, head);
    const size = (words[w + 1] >>> 16) + words[w + 2] + words[w + 3];
    const bodyStart = at + HEADER_BYTES;
    const boxEnd = bodyStart + BOX_BYTES + size;
    const end = padded(boxEnd);
    this.#cipher.encrypt(bytes.subarray(bodyStart, boxEnd), this.#bind(words, w, seed));
    words[w + 8] = checksum(words, bodyStart >> 2, end >> 2, 0);
    words[w] = checksum(words, w + 1, bodyStart >> 2, seed);
    return end;
  }

  /** All of a header but the checksums, and the place, which is in the seed. */
  #bind(words: Int32Array, w: number, seed: number): Uint8Array {
    const bound = this.#bound;
    bound.set(words.subarray(w + 1, w + 1 + FIRST_WORDS));
    bound.set(words.subarray(w + 9, w + 12), FIRST_WORDS);
    bound[BOUND_WORDS - 1] = seed;
    return this.#boundBytes;
  }

  /**
   * The content of a message: subject, headers, payload, one after the other. Undefined when it cannot be read.
   * @param record - whose body is there.
   */
  open(source: RecordBytes, record: FoundRecord, seed: number): Uint8Array | undefined {
    if ((record.flags & FLAG_ENCRYPTED) === 0) {
      const readable = (record.flags & FLAG_DECRYPTED) !== 0 && this.#holdsDecrypted();
      return readable ? source.bytes.subarray(record.subjectStart, record.payloadEnd) : undefined;
    }
    const box = source.bytes.subarray(record.bodyStart, record.payloadEnd + TAG_BYTES);
    return this.#cipher.decrypt(box, this.#bind(source.words, record.at >> 2, seed));
  }

  openInPlace(source: RecordBytes, record: FoundRecord, seed: number): boolean {
    const content = this.open(source, record, seed);
    if (content === undefined) return false;
    if ((record.flags & FLAG_ENCRYPTED) === 0) return true;
    const { bytes, words } = source;
    bytes.fill(0, record.bodyStart, record.end);
    bytes.set(content, record.subjectStart);
    record.flags = (record.flags & ~FLAG_ENCRYPTED) | FLAG_DECRYPTED;
    const w = record.at >> 2;
    words[w + 1] = (words[w + 1] & ~(FLAG_ENCRYPTED << 8)) | (FLAG_DECRYPTED << 8);
    words[w + 8] = checksum(words, record.bodyStart >> 2, record.end >> 2, 0);
    words[w] = checksum(words, w + 1, record.bodyStart >> 2, seed);
    return true;
  }
}
