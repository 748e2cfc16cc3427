import { writeSync } from "node:fs";

/** Where whole log lines go. Never throws: a server does not end because its log cannot be written. */
export interface LogOutput {
  /** @param line - with its line end. */
  write(line: string): void;
  close(): void;
}

/** How long (ms) a line may wait for a reader that is behind, such as a terminal that was stopped. */
const PATIENCE_MS = 1_000;
/** How long (ms) between tries. */
const RETRY_MS = 2;

/**
 * Lines to an open file descriptor. Each is written before the call returns, as nats-server does: so the last lines before the end of the
 * process are there, whatever ends it. A stream would keep them in memory and lose them.
 */
export class DescriptorOutput implements LogOutput {
  readonly #descriptor: number;
  /** The reader was given its time and did not read: lines are lost until it does. */
  #stuck = false;

  /** @param descriptor - 2 for stderr. It stays open. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(line: string): void {
    this.#stuck = !writeAll(this.#descriptor, new TextEncoder().encode(line), this.#stuck ? 0 : PATIENCE_MS);
  }

  close(): void {}
}

/**
 * Writes everything, waiting for at most `patience` ms in all when the other end is full.
 * @returns false when that time was not enough; true also when the write failed for good (disk full, nobody there).
 */
export function writeAll(descriptor: number, bytes: Uint8Array, patience: number): boolean {
  let left = patience;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return true;
      if (left <= 0) return false;
      left -= RETRY_MS;
      pause(RETRY_MS);
    }
  }
  return true;
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
