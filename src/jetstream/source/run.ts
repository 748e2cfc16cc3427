import type { Ending } from "../../broker/internal-client.ts";
import { hasText } from "../../protocol/bytes.ts";
import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import type { StorageError } from "../../storage/errors.ts";
import { parseAckSubject } from "../consumer/acks.ts";
import type { ApiError } from "../errors.ts";
import type { InflowEnd, Stretch } from "./inflow-end.ts";
import { consumerOfReply, headerOf } from "./names.ts";
import { type OriginConsumer, progress } from "./request.ts";

/** What a {@link Run} tells its connection. */
export interface RunEvents {
  heard(): void;
  lag(messages: number): void;
  /** So many messages more, or fewer, are on their way into the stream. */
  underway(change: number): void;
  /** Something is missing, or could not be stored. */
  broken(): void;
}

/** What comes from one consumer. */
export class Run implements Stretch {
  readonly consumer: string;
  readonly #end: InflowEnd;
  readonly #events: RunEvents;
  #live = true;
  /** The last sequences that came, of the consumer and of its stream. */
  #consumerSeq = 0;
  #streamSeq: number;
  #underway = 0;
  /** The flow control that is to be answered. */
  #owed: { readonly reply: string; readonly consumerSeq: number; readonly streamSeq: number } | undefined;
  #answering = false;
  #unsubscribe: Ending = () => {};

  constructor(end: InflowEnd, { name, delivered }: OriginConsumer, events: RunEvents) {
    this.#end = end;
    this.#events = events;
    this.consumer = name;
    this.#streamSeq = Math.max(delivered, end.position());
  }

  open(subject: string): void {
    this.#unsubscribe = this.#end.account.client.subscribe(subject, (message) => {
      if (this.#live) this.#heard(message);
    });
  }

  close(): void {
    this.#live = false;
    this.#unsubscribe();
  }

  get live(): boolean {
    return this.#live;
  }

  #heard(message: Message): void {
    const headers = message.hasHeaders ? message.bytes.subarray(message.start, message.body) : undefined;
    const payload = payloadOf(message);
    const reply = message.hasReply ? message.reply : "";
    if (headers !== undefined && payload.length === 0 && hasText(headers, 0, "NATS/1.0 100 ")) {
      this.#events.heard();
      this.#controlled(headers, reply);
      return;
    }
    const delivery = parseAckSubject(reply);
    if (delivery === undefined || consumerOfReply(reply) !== this.consumer) return;
    this.#events.heard();
    const { deliveries, streamSeq, consumerSeq, time, pending } = delivery;
    if (deliveries > 1) return;
    if (streamSeq <= this.#streamSeq) {
      if (consumerSeq === this.#consumerSeq + 1) this.#consumerSeq += 1;
      return;
    }
    if (consumerSeq !== this.#consumerSeq + 1) {
      this.#break();
      return;
    }
    this.#consumerSeq = consumerSeq;
    this.#streamSeq = streamSeq;
    this.#underway += 1;
    this.#events.underway(1);
    this.#events.lag(Math.max(0, pending - 1));
    const { subject } = message;
    const inMs = Number(time / 1_000n) / 1_000;
    this.#end.take({ subject, headers, payload, seq: streamSeq, time: inMs }, this, pending);
  }

  done(): void {
    this.#underway -= 1;
    this.#events.underway(-1);
    if (this.#underway === 0 && this.#owed !== undefined) this.#answer();
  }

  failed(error: ApiError | StorageError): void {
    const { account, title } = this.#end;
    // A stream that is full is no news: it was told to refuse what is new.
    if (this.#live && !isFull(error)) account.logger.warn(`${title}: ${error.message}`);
    this.#break();
    this.done();
  }

  #break(): void {
    if (!this.#live) return;
    this.close();
    this.#end.account.tasks.soon(() => this.#events.broken());
  }

  #controlled(headers: Uint8Array, reply: string): void {
    if (reply !== "") {
      this.#owe(reply);
      return;
    }
    const last = Number(headerOf(headers, "Nats-Last-Consumer"));
    if (last > 0 && last !== this.#consumerSeq) {
      this.#break();
      return;
    }
    const stalled = headerOf(headers, "Nats-Consumer-Stalled");
    if (stalled !== "" && this.#owed === undefined) this.#owe(stalled);
  }

  /** The origin waits to hear how far the copy is: it is told once that is on disk. */
  #owe(reply: string): void {
    this.#owed = { reply, consumerSeq: this.#consumerSeq, streamSeq: this.#streamSeq };
    if (this.#underway === 0) this.#answer();
  }

  #answer(): void {
    if (this.#answering) return;
    this.#answering = true;
    const answer = (): void => {
      this.#answering = false;
      const owed = this.#owed;
      if (owed === undefined || !this.#live) return;
      this.#owed = undefined;
      this.#end.account.client.publish(owed.reply, progress(owed.consumerSeq, owed.streamSeq), EMPTY);
    };
    const settled = this.#end.settled();
    if (settled === undefined) this.#end.account.tasks.soon(answer);
    else
      settled.then(answer, () => {
        this.#answering = false;
        this.#break();
      });
  }
}

function isFull(error: ApiError | StorageError): boolean {
  return "errCode" in error && (error.errCode === 10077 || error.errCode === 10023);
}

/** The body of a message; it is valid as long as the message is. */
export function payloadOf({ text, bytes, body, end }: Message): Uint8Array {
  if (text !== undefined) return encodeText(text);
  return body === end ? EMPTY : bytes.subarray(body, end);
}
