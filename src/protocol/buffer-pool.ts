/** The size that outgoing bytes are written in, once there are more than a few. */
export const LARGE_BUFFER = 64 * 1024;

/** The sizes that are lent, and how many of each are kept for the next borrower. */
const CLASSES: readonly [bytes: number, kept: number][] = [
  [2 * 1024, 256],
  [LARGE_BUFFER, 32],
  [256 * 1024, 8],
  [1024 * 1024 + 16 * 1024, 4],
];

/**
 * The arrays that bytes on their way out, and halves of messages on their way in, are collected in. They are lent to a connection only
 * while it needs one, so that idle connections cost none, and so that the few in use stay in the processor's cache.
 */
export class BufferPool {
  readonly #free: Uint8Array[][] = CLASSES.map(() => []);

  /** An array of at least `room` bytes, of the next larger size that is lent; its content is anything. */
  take(room: number): Uint8Array {
    for (let i = 0; i < CLASSES.length; i++) {
      if (room <= CLASSES[i][0]) return this.#free[i].pop() ?? new Uint8Array(CLASSES[i][0]);
    }
    return new Uint8Array(room);
  }

  /** Gives back an array that nobody reads any more. */
  give(buffer: Uint8Array): void {
    for (let i = 0; i < CLASSES.length; i++) {
      if (buffer.length !== CLASSES[i][0]) continue;
      if (this.#free[i].length < CLASSES[i][1]) this.#free[i].push(buffer);
      return;
    }
  }
}
