import { hashText } from "../../protocol/hash.ts";

/** With more ids than this the table is divided. */
const UNDIVIDED = 4_096;
const PARTS = 256;

/**
 * The message that has had an id. A large table is 256 small ones, by the id's hash, each of which grows and shrinks by itself: a map of a million
 * ids that grows keeps the event loop for tens of milliseconds.
 */
export class SeenIds {
  #parts: Map<string, number>[] = [new Map()];
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The sequence; undefined for none. */
  get(id: string): number | undefined {
    return this.#partOf(id).get(id);
  }

  has(id: string): boolean {
    return this.#partOf(id).has(id);
  }

  set(id: string, seq: number): void {
    if (this.#parts.length === 1 && this.#size === UNDIVIDED) this.#divide();
    const part = this.#partOf(id);
    const before = part.size;
    part.set(id, seq);
    this.#size += part.size - before;
  }

  delete(id: string): void {
    if (!this.#partOf(id).delete(id)) return;
    this.#size -= 1;
    if (this.#size === 0 && this.#parts.length > 1) this.#parts = [new Map()];
  }

  #partOf(id: string): Map<string, number> {
    if (this.#parts.length === 1) return this.#parts[0];
    const hash = hashText(id);
    return this.#parts[(hash ^ (hash >>> 16)) & (PARTS - 1)];
  }

  #divide(): void {
    const [all] = this.#parts;
    this.#parts = Array.from({ length: PARTS }, () => new Map());
    for (const [id, seq] of all) this.#partOf(id).set(id, seq);
  }
}
