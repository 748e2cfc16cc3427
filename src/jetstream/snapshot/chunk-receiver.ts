import type { Ending, InternalClient } from "../../broker/internal-client.ts";
import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import type { Clock, Timer } from "../../seams/clock.ts";

/** After so long without a chunk a client is taken for gone, in ms (nats-server). */
const STALL_MS = 5_000;

/** What may wait, in bytes, from clients that do not wait for answers. */
const MAX_WAITING = 64 * 1024 * 1024;

/** Takes the chunks of a snapshot. */
export interface ChunkTarget {
  /** A chunk; the next comes when it has resolved. */
  chunk(bytes: Uint8Array): Promise<void>;
  /** All chunks have come. Resolves to the answer, whatever it is. */
  complete(): Promise<string>;
  /** It ends early, and why. Resolves to the answer for the client, if one waits. */
  failed(error: unknown): Promise<string>;
  /** The client has not sent anything for long: it gets no answer. */
  stalled(): void;
}

/** How chunks are received. */
export interface ReceiverSetup {
  readonly client: Pick<InternalClient, "publish" | "subscribe">;
  readonly clock: Clock;
  readonly subject: string;
  readonly target: ChunkTarget;
  /** What is said of a chunk without a reply. */
  readonly needsReply: string;
}

/** Receives the chunks of a snapshot one after the other, and answers each when it has been used (behaviour.md D.17). */
export class ChunkReceiver {
  readonly #setup: ReceiverSetup;
  readonly #end: Ending;
  readonly #waiting: { readonly bytes: Uint8Array; readonly reply: string }[] = [];
  #waitingBytes = 0;
  /** Who waits for the chunk that is being used. */
  #current: string | undefined;
  #working = false;
  #ended = false;
  #timer: Timer | undefined;

  constructor(setup: ReceiverSetup) {
    this.#setup = setup;
    this.#end = setup.client.subscribe(setup.subject, (message) => this.#take(message));
    this.#watch();
  }

  /** Ends it; what has not been used is not going to be. */
  end(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#timer?.cancel();
    this.#end();
  }

  /** Ends it from outside: those who wait get this answer. */
  refuse(answer: string): void {
    const replies = this.#waiting.map(({ reply }) => reply);
    if (this.#current !== undefined) replies.unshift(this.#current);
    this.end();
    for (const reply of replies) this.#setup.client.publish(reply, undefined, answer);
  }

  #take(message: Message): void {
    const { reply, text, bytes, body, end } = message;
    if (reply === "") {
      void this.#fail(new Error(this.#setup.needsReply), "");
      return;
    }
    const chunk = text === undefined ? bytes.slice(body, end) : encodeText(text);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING) {
      void this.#fail(new Error("too many chunks at once"), reply);
      return;
    }
    this.#waiting.push({ bytes: chunk, reply });
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    const { client, target } = this.#setup;
    this.#working = true;
    this.#timer?.cancel();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { bytes, reply } = next;
      this.#waitingBytes -= bytes.length;
      try {
        if (bytes.length === 0) {
          this.end();
          client.publish(reply, undefined, await target.complete());
          return;
        }
        this.#current = reply;
        await target.chunk(bytes);
        if (this.#ended) return;
        this.#current = undefined;
        client.publish(reply, undefined, EMPTY);
      } catch (error) {
        // What it failed of may be that it was ended.
        if (!this.#ended) await this.#fail(error, reply);
        return;
      }
    }
    this.#working = false;
    this.#watch();
  }

  #watch(): void {
    if (this.#ended) return;
    this.#timer = this.#setup.clock.after(STALL_MS, () => {
      this.end();
      this.#setup.target.stalled();
    });
  }

  async #fail(error: unknown, reply: string): Promise<void> {
    this.end();
    const answer = await this.#setup.target.failed(error);
    if (reply !== "") this.#setup.client.publish(reply, undefined, answer);
  }
}
