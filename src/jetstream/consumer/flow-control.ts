import { decodeText, EMPTY } from "../../protocol/text.ts";
import { STATUS } from "../status-frames.ts";
import type { AckSubjects } from "./acks.ts";
import { randomName } from "./names.ts";
import type { ConsumerOwner } from "./owner.ts";

/** The most bytes that may be on their way to a client. */
const WINDOW_MAX = 32 * 1024 * 1024;
/** It begins with a part of that, and doubles with each answer. */
const WINDOW_FIRST = WINDOW_MAX / 16;
const TOKEN_LENGTH = 4;

/** How much a push consumer sends before its client has said how far it is (ADR-15). */
export class FlowControl {
  readonly #owner: ConsumerOwner;
  readonly #subjects: AckSubjects;
  #window = WINDOW_FIRST;
  /** Bytes that were sent and are not known to have come. */
  #bytes = 0;
  /** How many of them the answer that is awaited stands for. */
  #asked = 0;
  #awaited = "";

  constructor(owner: ConsumerOwner, subjects: AckSubjects) {
    this.#owner = owner;
    this.#subjects = subjects;
  }

  /** Whether nothing more may be sent for now. */
  get stalled(): boolean {
    return this.#bytes > this.#window;
  }

  /** The subject that an answer is awaited on; "" for none. */
  get awaited(): string {
    return this.#awaited;
  }

  /** A message was sent. */
  sent(size: number): void {
    this.#bytes += size;
    const { config, state } = this.#owner;
    if (this.#awaited === "") {
      const { ackPolicy, maxAckPending } = config;
      const full = ackPolicy === "flow_control" && maxAckPending > 0 && state.pending.size >= maxAckPending;
      if (this.#bytes > this.#window / 2 || full) this.ask();
    } else if (this.#bytes - this.#asked >= this.#window) this.#asked += size;
  }

  /** Asks the client how far it is. */
  ask(): void {
    const { config, host } = this.#owner;
    this.#awaited = this.#subjects.flowControl(randomName(host.account.random, TOKEN_LENGTH));
    this.#asked = this.#bytes;
    host.account.client.publish(config.deliverSubject, STATUS.flowControl(), EMPTY, this.#awaited);
  }

  /** The client has answered on a subject. */
  answered(subject: string): boolean {
    if (subject !== this.#awaited) return false;
    this.#window = Math.min(WINDOW_MAX, this.#window * 2);
    this.#bytes = Math.max(0, this.#bytes - this.#asked);
    this.#awaited = "";
    this.#asked = 0;
    this.#owner.wake();
    return true;
  }
}

/** How far a client says that it is, in the headers of its answer; 0 where it says nothing. */
export function progressOf(headers: Uint8Array): { lastStream: number; lastConsumer: number } {
  const text = decodeText(headers, 0, headers.length);
  const number = (name: string): number => Number(new RegExp(`\\r\\n${name}: *(\\d+)`).exec(text)?.[1] ?? 0);
  return { lastStream: number("Nats-Last-Stream"), lastConsumer: number("Nats-Last-Consumer") };
}
