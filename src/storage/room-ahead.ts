import { messageOf } from "../protocol/message-of.ts";
import { DiskError, type DiskFile } from "../seams/disk.ts";

/** The most room that is made at a time, in bytes. */
const ROOM_BYTES = 1024 * 1024;
/** The least: room is made for as much again as there is, so that small files stay small. */
const FIRST_ROOM_BYTES = 16 * 1024;
/** Commits of more bytes gain little: what takes time is the bytes themselves. */
const SMALL_COMMIT_BYTES = 64 * 1024;
/** What is written at a time: an array for all of it, each time, would be work for the garbage collector. */
const ZEROS = new Uint8Array(256 * 1024);
/** Room ends at multiples of this many bytes. */
const PAGE_BYTES = 4096;

/**
 * Zeros at the end of a file that is appended to, where the next records will stand: a synced write that makes a file longer waits for the file
 * system to write down the new length, and takes about twice the time of one that overwrites what is there. Readers never look beyond the
 * records, and after a crash zeros are no record.
 */
export class RoomAhead {
  readonly #most: number;
  /** How long the file is by it. */
  #end = 0;
  #making: Promise<void> | undefined;
  /** How long it may be by that. */
  #longest = 0;
  /** Set when it could not be made, until the file is cut. */
  #refused = false;
  #failure: DiskError | undefined;

  /** @param most - the most room that is made at a time, in bytes; 0 for none. */
  constructor(most: number = ROOM_BYTES) {
    this.#most = most;
  }

  /**
   * Asked before anything is written up to `end`.
   * @returns what to wait for, if room is being made just there.
   * @throws DiskError (or rejects) when making room has failed in a way that puts what was written in doubt.
   */
  before(end: number): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#making === undefined || end <= this.#end) return undefined;
    return this.#making.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
    });
  }

  /** Told after a synced write of so many bytes up to `end`: makes more room, if there is little left. Nothing waits for that. */
  after(file: DiskFile, end: number, written: number): void {
    if (this.#making !== undefined || this.#refused || this.#most === 0) return;
    if (written > SMALL_COMMIT_BYTES) return;
    const room = Math.min(this.#most, Math.max(FIRST_ROOM_BYTES, end));
    if (this.#end - end > room / 2) return;
    const from = Math.max(this.#end, end);
    const page = Math.min(PAGE_BYTES, this.#most);
    const to = Math.ceil((from + room) / page) * page;
    this.#making = this.#make(file, from, to).then(
      () => {
        this.#making = undefined;
      },
      (error: unknown) => {
        this.#making = undefined;
        // Whatever it was: a sync that failed may have been one of records.
        this.#failure = new DiskError("failed", messageOf(error));
      },
    );
  }

  async #make(file: DiskFile, from: number, to: number): Promise<void> {
    this.#longest = to;
    try {
      for (let at = from; at < to; at += ZEROS.length) await file.write(ZEROS.subarray(0, to - at), at);
    } catch {
      // No record is the worse for it: if they cannot be written either, that will be told.
      this.#refused = true;
    }
    // Before anything is written there: or else the zeros might come to the disk after it.
    await file.sync();
    if (!this.#refused) this.#end = to;
  }

  /** Cuts the file to `end`, if it is longer by what was made, and sees to it that this lasts. @throws DiskError (rejects) */
  async trim(file: DiskFile, end: number): Promise<void> {
    await this.settled();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#longest <= end) return;
    await file.truncate(end);
    this.#end = this.#longest = 0;
    await file.sync();
  }

  /** Somebody else has cut the file. */
  forget(): void {
    this.#end = this.#longest = 0;
    this.#refused = false;
  }

  /** Resolves when no room is being made. */
  async settled(): Promise<void> {
    await this.#making;
  }
}
