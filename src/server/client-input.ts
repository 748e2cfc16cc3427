import type { ClientVerbReader } from "../protocol/client-reader.ts";
import type { ByteLink } from "../seams/link.ts";
import type { InputTurns, TurnTaker } from "./input-turns.ts";

/** Pieces of fewer bytes are read as they come: they take too little time to be divided. */
const LARGE_BYTES = 4 * 1024;

/** How what a client sends gets from its link to the reader, and what keeps it there. */
export class ClientInput implements TurnTaker {
  readonly #link: ByteLink;
  readonly #reader: ClientVerbReader;
  readonly #turns: InputTurns;
  readonly #goOn: () => void;
  /** Receivers of what it publishes are behind. */
  #held = false;
  /** What it has said last has to be looked at before more is read. */
  #suspended = false;
  /** Others have their turn. */
  #waiting = false;
  #ended = false;
  #closed = false;

  /** @param goOn - called when it has another turn: is to call {@link readOn}. */
  constructor(link: ByteLink, reader: ClientVerbReader, turns: InputTurns, goOn: () => void) {
    this.#link = link;
    this.#reader = reader;
    this.#turns = turns;
    this.#goOn = goOn;
  }

  /** Whether nothing comes any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads a piece; in part, if it takes long. */
  read(bytes: Uint8Array): void {
    if (bytes.length < LARGE_BYTES) {
      this.#reader.read(bytes);
      return;
    }
    this.#turns.begin();
    this.#reader.read(bytes, this.#turns);
    // What a socket has beyond one piece comes in the same turn unless it is told to wait.
    if (!this.#waiting && !this.#closed && (this.#reader.waits || this.#turns.spent)) {
      this.#waiting = true;
      this.#turns.wait(this);
      this.#apply();
    }
  }

  goOn(): void {
    this.#waiting = false;
    if (!this.#closed) this.#goOn();
  }

  /** Reads what there was no time for, as far as there is now. */
  readOn(): void {
    this.#reader.resume(this.#turns);
    if (this.#reader.waits) {
      this.#waiting = true;
      this.#turns.waitOn(this);
    }
    this.#apply();
  }

  /** Begins or ends to hold the client back because it gives others too much. */
  hold(held: boolean): void {
    this.#held = held;
    this.#apply();
  }

  /** Stops taking what the client says. */
  suspend(): void {
    this.#suspended = true;
    this.#apply();
    this.#reader.pause();
  }

  /** Takes what the client says again, and what it has said meanwhile. */
  resume(): void {
    this.#suspended = false;
    this.#apply();
    this.#reader.resume();
  }

  /** The client has said all: what there was no time for is read now. Returns whether there was any. */
  finish(): boolean {
    if (this.#closed || !this.#reader.waits) return false;
    this.#reader.resume();
    return true;
  }

  /** The link has ended. */
  end(): void {
    this.#ended = true;
  }

  /** Nothing that comes is read any more, and the link is no longer held by this. */
  stop(): void {
    this.#closed = true;
    this.#reader.stop();
  }

  #apply(): void {
    if (!this.#closed && !this.#ended) this.#link.hold(this.#held || this.#suspended || this.#waiting);
  }
}
