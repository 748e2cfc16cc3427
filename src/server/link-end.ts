import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { Outbox } from "../protocol/outbox.ts";
import type { Timer } from "../seams/clock.ts";
import type { ByteLink } from "../seams/link.ts";

/** How long (ms) a client that has been sent its last bytes may take to go. */
const LINGER_MS = 1_000;
/** How long (ms) a client may take to read why its message is refused, before the reset that follows. */
const REFUSED_MS = 50;
/**
 * A chunk with more bytes than this (nats-server `startBufSize`) is one that nats-server has not read to its end when it refuses the
 * message in it: its system answers that with a reset, behind the error.
 */
const FIRST_READ_BYTES = 512;

/** Reasons after which there is no point in sending what is left. */
const UNFLUSHED = new Set<ClosedReason>([
  "Slow Consumer (Pending Bytes)",
  "Slow Consumer (Write Deadline)",
  "Write Error",
  "Read Error",
  "TLS Handshake Failure",
]);

/** What is asked of a connection whose link is to end. */
export interface EndingConnection {
  readonly link: ByteLink;
  readonly outbox: Outbox;
  /** Whether the link has ended. */
  ended(): boolean;
  /** How long (ms) a write may take. */
  writeDeadline(): number;
  after(delay: number, action: () => void): Timer;
  /** Calls `action` when the link has sent what it holds now. */
  whenSent(action: () => void): void;
  /** The client has not taken the last bytes in time. */
  slow(deadline: number): void;
}

/** The end of a client's link: its last bytes go out, for as long as it takes them. */
export class LinkEnd {
  readonly #connection: EndingConnection;
  #timer: Timer | undefined;

  constructor(connection: EndingConnection) {
    this.#connection = connection;
  }

  /** Ends the link, once the last bytes are out unless there is no point in it. @param lastChunk - the length of what came last. */
  begin(reason: ClosedReason, lastChunk: number): void {
    const { link, outbox } = this.#connection;
    if (this.#connection.ended()) {
      outbox.discard();
    } else if (UNFLUSHED.has(reason)) {
      outbox.discard();
      link.destroy();
    } else {
      outbox.flush();
      link.hold(false);
      const resets = reason === "Maximum Message Payload Exceeded" && lastChunk > FIRST_READ_BYTES;
      if (resets && link.reset) this.#timer = this.#connection.after(REFUSED_MS, () => link.reset?.());
      else this.#end(reason);
    }
  }

  #end(reason: ClosedReason): void {
    this.#timer?.cancel();
    const { link, outbox } = this.#connection;
    // Bytes in line behind those that the link holds would be lost by ending now.
    const waits = outbox.busy;
    if (waits) this.#connection.whenSent(() => this.#end(reason));
    else link.end(reason);
    if (this.#connection.ended()) return;
    // What waits has the time that any write has (nats-server flushAndClose).
    const time = waits ? this.#connection.writeDeadline() : LINGER_MS;
    this.#timer = this.#connection.after(time, () => {
      if (waits) this.#connection.slow(time);
      link.destroy();
    });
  }

  /** The link has ended. */
  done(): void {
    this.#timer?.cancel();
  }
}
