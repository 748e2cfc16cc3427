import type { ReadFile } from "../seams/disk.ts";
import type { Pacer } from "./pacer.ts";
import { isSecret, type RecordOpener } from "./record-cipher.ts";
import {
  FLAG_CONTINUES,
  FoundRecord,
  HEADER_BYTES,
  KIND_MESSAGE,
  type RecordBytes,
  recordBytes,
  seedAt,
} from "./records.ts";
import type { Maybe } from "./store.ts";

const BUFFER_BYTES = 1024 * 1024;

/** What a scan finds, in order of position. */
export interface ScanVisitor {
  /**
   * A record. Records other than messages come only when their bodies are sound; a message's body is there, and checked, when the
   * scan is one with bodies, or decrypts.
   * @param position - where in the file it begins. `record` and `bytes` may be used until the call returns.
   * @returns false to end the scan. When that takes a while, `record` and `bytes` stay as they are until it is known.
   */
  record(record: FoundRecord, bytes: RecordBytes, position: number, sound: boolean): Maybe<boolean>;
  /** No record can be made out of `[from, to)`. @returns false to end the scan. */
  damage(from: number, to: number): boolean;
}

/** Walks over the records of a file. What cannot be read it leaves out, up to the next record that can. */
export class Scanner {
  readonly #pacer: Pacer;
  readonly #found = new FoundRecord();
  #buffer: RecordBytes = recordBytes(0);
  /** What of the file is in the buffer. */
  #start = 0;
  #used = 0;

  constructor(pacer: Pacer) {
    this.#pacer = pacer;
  }

  /**
   * Scans `[from, to)` of a file, whose size is at least `to`.
   * @param opener - decrypts what is encrypted: what cannot be is not sound.
   */
  async scan(
    file: ReadFile,
    salt: number,
    from: number,
    to: number,
    bodies: boolean,
    visitor: ScanVisitor,
    opener?: RecordOpener,
  ): Promise<void> {
    this.#used = 0;
    const found = this.#found;
    let damagedFrom = -1;
    for (let position = from; position < to; ) {
      if (this.#pacer.due) await this.#pacer.rest();
      if (!this.#holds(position, Math.min(HEADER_BYTES, to - position)))
        await this.#fill(file, position, to, 0);
      let result = this.#readAt(position, salt);
      if (result === "short" && this.#start !== position) {
        await this.#fill(file, position, to, 0);
        result = this.#readAt(position, salt);
      }
      let size = 0;
      let sound = true;
      if (result === "read") {
        size = found.end - found.at;
        if (position + size > to) {
          result = "short";
        } else if (bodies || opener !== undefined || found.kind !== KIND_MESSAGE) {
          if (found.end > this.#used) {
            await this.#fill(file, position, to, size);
            this.#readAt(position, salt);
          }
          sound = found.end <= this.#used && found.bodyIsSound(this.#buffer);
          if (opener !== undefined && sound && isSecret(found.kind))
            sound = opener.openInPlace(this.#buffer, found, seedAt(salt, position));
        }
      }
      if (result === "read" && (sound || found.kind === KIND_MESSAGE)) {
        if (damagedFrom >= 0 && !visitor.damage(damagedFrom, position)) return;
        damagedFrom = -1;
        const more = visitor.record(found, this.#buffer, position, sound);
        if (!(typeof more === "boolean" ? more : await more)) return;
        position += size;
      } else {
        if (damagedFrom < 0) damagedFrom = position;
        // The length of a record with a sound header can be trusted, though its body cannot.
        position += result === "read" ? size : 8;
      }
    }
    if (damagedFrom >= 0) visitor.damage(damagedFrom, to);
  }

  #readAt(position: number, salt: number): "read" | "bad" | "short" {
    return this.#found.read(this.#buffer, this.#used, position - this.#start, seedAt(salt, position));
  }

  #holds(position: number, size: number): boolean {
    return this.#used > 0 && position >= this.#start && position + size <= this.#start + this.#used;
  }

  async #fill(file: ReadFile, position: number, to: number, size: number): Promise<void> {
    const wanted = Math.max(size, Math.min(BUFFER_BYTES, to - position));
    if (wanted > this.#buffer.bytes.length) this.#buffer = recordBytes(wanted);
    const room = Math.min(this.#buffer.bytes.length, to - position);
    this.#used = await file.read(this.#buffer.bytes.subarray(0, room), position);
    this.#start = position;
    // What the file does not have is as good as zeros.
    this.#buffer.bytes.fill(0, this.#used, room);
    this.#used = room;
  }
}

/**
 * Finds where the torn end of a file begins: the size, if it has none. What a record says was on disk before it was written is not touched,
 * whatever its state; of what came after that, the last commit, only a sound beginning counts, and no part of a batch.
 * @param known - so many bytes are known to have been on disk.
 */
export async function findTail(
  file: ReadFile,
  salt: number,
  size: number,
  known: number,
  pacer: Pacer,
): Promise<number> {
  let sound = known;
  const scanner = new Scanner(pacer);
  const whole = size - (size % 8);
  await scanner.scan(file, salt, 0, whole, false, {
    record(record, _bytes, position) {
      sound = Math.max(sound, Math.min(record.durable * 8, position));
      return true;
    },
    damage: () => true,
  });
  await scanner.scan(file, salt, sound, whole, true, {
    record(record, _bytes, position, isSound) {
      if (!isSound) return false;
      if ((record.flags & FLAG_CONTINUES) === 0) sound = position + record.end - record.at;
      return true;
    },
    damage: () => false,
  });
  return sound;
}
