import type { InternalClient } from "../../broker/internal-client.ts";
import { messageOf } from "../../protocol/message-of.ts";
import { EMPTY } from "../../protocol/text.ts";
import type { Clock } from "../../seams/clock.ts";
import { STATUS, statusFrame } from "../status-frames.ts";

/** How long it is waited for a receiver to listen, and for it to acknowledge chunks, in ms (nats-server). */
const INTEREST_MS = 2_000;
const ACK_MS = 5_000;

/** Sizes of chunks and of what may be on its way, in bytes: what is taken when nothing is asked for, and the limits. */
const CHUNK = { usual: 128 * 1024, min: 1_024, max: 1024 * 1024 };
const WINDOW = { usual: 8 * 1024 * 1024, min: 1_024, max: 32 * 1024 * 1024 };

/** The size of chunks, and how many may be on their way, for what a request asks (0 for nothing). */
export function chunking(
  chunkSize: number,
  windowSize: number,
): { readonly size: number; readonly inFlight: number } {
  const size = clamp(chunkSize || CHUNK.usual, CHUNK);
  const window = Math.max(size, clamp(windowSize || WINDOW.usual, WINDOW));
  return { size, inFlight: Math.floor(window / size) };
}

function clamp(value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  return Math.min(Math.max(min, value), max);
}

/** How chunks are sent. */
export interface SenderSetup {
  readonly client: Pick<InternalClient, "publish" | "subscribe" | "watchInterest" | "hasInterest">;
  readonly clock: Clock;
  /** Where to. */
  readonly deliver: string;
  /** What the subjects of acknowledgements begin with. */
  readonly acks: string;
  /** The size of all chunks but the last. */
  readonly size: number;
  /** How many may be on their way. */
  readonly inFlight: number;
}

/** Why nothing more is sent: what the receiver is told, and the log. */
class Stopped extends Error {
  readonly status: Uint8Array;

  constructor(message: string, status: Uint8Array) {
    super(message);
    this.status = status;
  }
}

/** Sends the chunks of a snapshot, as fast as the receiver acknowledges them (behaviour.md D.17). */
export class ChunkSender {
  readonly #setup: SenderSetup;
  #free: number;
  #gone = false;
  /** Goes on when there is something new: an acknowledgement, or somebody came or went. */
  #wake: () => void = () => {};

  constructor(setup: SenderSetup) {
    this.#setup = setup;
    this.#free = setup.inFlight;
  }

  /** Sends all, and says so at the end. Resolves to what went wrong; "" for nothing. */
  async send(chunks: AsyncIterable<Uint8Array>): Promise<string> {
    const { client, deliver, acks, inFlight } = this.#setup;
    const endWatch = client.watchInterest(deliver, () => this.#interestChanged());
    const endAcks = client.subscribe(`${acks}.>`, () => {
      this.#free = Math.min(inFlight, this.#free + 1);
      this.#wake();
    });
    let error = "";
    let status: Uint8Array | undefined;
    try {
      status = await this.#sendAll(chunks);
    } catch (failure) {
      error = messageOf(failure);
      status = failure instanceof Stopped ? failure.status : statusFrame(500, error.replace(/[\r\n]+/g, " "));
    } finally {
      endWatch();
      endAcks();
    }
    client.publish(deliver, status, EMPTY);
    return error;
  }

  /** Returns what the last message says: nothing, when there was not one whole chunk (as nats-server has it). */
  async #sendAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
    const { client, deliver, acks, size } = this.#setup;
    await this.#interest();
    let index = 0;
    for await (const chunk of chunks) {
      await this.#slot();
      if (chunk.length === size) {
        this.#free -= 1;
        index += 1;
        client.publish(deliver, undefined, chunk, `${acks}.${size}.${index}`);
      } else if (chunk.length > 0) client.publish(deliver, undefined, chunk);
    }
    return index === 0 ? undefined : STATUS.snapshotEnd();
  }

  async #interest(): Promise<void> {
    const { client, deliver } = this.#setup;
    if (client.hasInterest(deliver)) return;
    await this.#waitUntil(() => client.hasInterest(deliver), INTEREST_MS);
    if (!client.hasInterest(deliver)) throw noInterest();
    this.#gone = false;
  }

  async #slot(): Promise<void> {
    if (this.#free === 0 && !this.#gone) await this.#waitUntil(() => this.#free > 0 || this.#gone, ACK_MS);
    if (this.#gone) throw noInterest();
    if (this.#free === 0) throw new Stopped("no flow response", statusFrame(408, "No Flow Response"));
  }

  #interestChanged(): void {
    this.#gone = !this.#setup.client.hasInterest(this.#setup.deliver);
    this.#wake();
  }

  async #waitUntil(done: () => boolean, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#setup.clock.after(ms, resolve);
      this.#wake = () => {
        if (!done()) return;
        timer.cancel();
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

function noInterest(): Stopped {
  return new Stopped("no interest", statusFrame(408, "No Interest"));
}
