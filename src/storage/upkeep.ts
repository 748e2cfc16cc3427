import type { Timer } from "../seams/clock.ts";
import { DiskError } from "../seams/disk.ts";
import { compressSegment } from "./compressor.ts";
import { eraseBodies } from "./erase.ts";
import type { Erasure, Erasures } from "./erasures.ts";
import { StorageError } from "./errors.ts";
import type { FileLog } from "./file-log.ts";
import { isWritten, Merger, type MergerOwner } from "./merger.ts";
import { Pacer } from "./pacer.ts";
import type { Segment } from "./segment.ts";
import type { StreamIndex } from "./stream-index.ts";
import { unlinkIfThere } from "./unlink.ts";

/** After the disk was full, nothing is done for so long, in ms. */
const FULL_PAUSE_MS = 10_000;

/** What the upkeep asks of its store. */
export interface UpkeepOwner extends MergerOwner {
  /** Whether segments are to be compressed. */
  compresses(): boolean;
}

/**
 * What is done to the segments of a store behind its back, one thing after the other: messages are erased, segments of which little or nothing is left
 * give their space back, those that are not encrypted as they should be are written anew, sealed ones are compressed.
 */
export class Upkeep {
  readonly #stream: StreamIndex;
  readonly #log: FileLog;
  readonly #owner: UpkeepOwner;
  readonly #erasures: Erasures;
  readonly #merger: Merger;
  #work: Promise<void> | undefined;
  #pause: Timer | undefined;
  /** Files that are of no use any more. */
  #remains: string[] = [];
  #stopping = false;
  /** Whether something went wrong, so that nothing but erasing is tried any more. */
  #failed = false;

  constructor(stream: StreamIndex, log: FileLog, erasures: Erasures, owner: UpkeepOwner) {
    this.#stream = stream;
    this.#log = log;
    this.#owner = owner;
    this.#erasures = erasures;
    this.#merger = new Merger(stream, log, owner);
  }

  /** A commit is done: sees whether there is something to do. Costs little when there is not. */
  look(): void {
    if (this.#work !== undefined || this.#pause !== undefined || this.#stopping) return;
    const work = this.#next();
    if (work === undefined) return;
    this.#work = work.then(
      () => {
        this.#work = undefined;
        this.look();
      },
      (error: unknown) => {
        // What fails here costs space only. If the disk is broken, commits will say so; if it is full, that may change.
        if (isFull(error)) this.#rest();
        else this.#failed = true;
        this.#work = undefined;
      },
    );
  }

  /** Begins what is to be done next. */
  #next(): Promise<void> | undefined {
    const erasures = this.#erasures.due(this.#log.segments);
    if (erasures.length > 0) return this.#erase(erasures);
    // A log that has stopped keeps its files as they are.
    if (this.#failed || this.#log.stopped !== undefined) return undefined;
    if (this.#remains.length > 0) return this.#clear();
    const first = this.#log.segments[0];
    if (first !== undefined && this.#merger.canDrop(first)) return this.#merger.drop(first);
    const run = this.#merger.findRun();
    if (run.length > 0) return this.#merge(run);
    const outdated = this.#merger.findOutdated();
    if (outdated !== undefined) return this.#merge([outdated]);
    const next = this.#owner.compresses() ? this.#uncompressed() : undefined;
    return next && this.#compress(next);
  }

  #rest(): void {
    if (this.#stopping) return;
    this.#pause = this.#stream.clock.after(FULL_PAUSE_MS, () => {
      this.#pause = undefined;
      this.look();
    });
  }

  /** Resolves when nothing goes on, and nothing will begin. What is to be erased is erased. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#pause?.cancel();
    await this.#work;
    for (;;) {
      const erasures = this.#erasures.due(this.#log.segments);
      if (erasures.length === 0) return;
      // The disk may be full; it is not waited for.
      await this.#erase(erasures).catch(() => this.#erasures.done(erasures));
    }
  }

  async #erase(erasures: readonly Erasure[]): Promise<void> {
    const positions = erasures.map(({ position }) => position);
    try {
      await this.#clear();
      await eraseBodies(this.#log, erasures[0].segment, positions, new Pacer(this.#stream.clock));
    } catch (error) {
      // They are tried again when there is space.
      if (!isFull(error)) this.#erasures.done(erasures);
      throw error;
    }
    this.#erasures.done(erasures);
  }

  async #merge(run: readonly Segment[]): Promise<void> {
    this.#remains.push(...(await this.#merger.merge(run, () => this.#stopping)));
    await this.#clear();
  }

  /** A segment that is to be compressed. The last one is not, whatever its state: recovery may cut it. */
  #uncompressed(): Segment | undefined {
    const { segments } = this.#log;
    for (let i = 0; i < segments.length - 1; i++) {
      const segment = segments[i];
      const { compressed, sealed, damaged, size } = segment;
      if (compressed || !sealed || damaged || size % 8 !== 0) continue;
      if (isWritten(segment) && segments[i + 1].created) return segment;
    }
    return undefined;
  }

  async #compress(segment: Segment): Promise<void> {
    try {
      const pacer = new Pacer(this.#stream.clock);
      await compressSegment(this.#log, segment, pacer, () => this.#stopping);
    } finally {
      this.#remains.push(segment.compressed ? segment.logPath : segment.compressedPath);
    }
    await this.#clear();
  }

  /** Takes away what is of no use any more. Until that is done nothing else is: what a file says must not come back later. */
  async #clear(): Promise<void> {
    for (; this.#remains.length > 0; this.#remains.shift()) {
      await unlinkIfThere(this.#log.context.disk, this.#remains[0]);
    }
  }
}

function isFull(error: unknown): boolean {
  return (
    (error instanceof DiskError && error.kind === "full") ||
    (error instanceof StorageError && error.code === "full")
  );
}
