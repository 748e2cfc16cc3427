import { API_PREFIX } from "../../broker/account.ts";
import type { Ending } from "../../broker/internal-client.ts";
import type { Message } from "../../protocol/message.ts";
import { EMPTY } from "../../protocol/text.ts";
import { isRequestSupported } from "../metadata.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { STATUS } from "../status-frames.ts";
import { type AckHandler, bodyOf } from "./ack-handler.ts";
import type { AckSubjects } from "./acks.ts";
import { type FlowControl, progressOf } from "./flow-control.ts";
import type { ConsumerOwner } from "./owner.ts";
import type { PullOutlet } from "./pull-outlet.ts";

/** Who takes what a consumer hears. */
export interface Listeners {
  readonly subjects: AckSubjects;
  readonly acks: AckHandler;
  readonly flow: FlowControl | undefined;
  /** Undefined of a push consumer. */
  readonly pull: PullOutlet | undefined;
  /** A client has acknowledged something, however. */
  acknowledged(): void;
  /** `CONSUMER.RESET`, with a reply. */
  reset(message: Message): void;
}

/** The subjects that a consumer hears itself: acknowledgements, pull requests, answers to flow control, and that it is to begin anew. */
export class Listening {
  readonly #owner: ConsumerOwner;
  readonly #listeners: Listeners;
  readonly #endings: Ending[] = [];

  constructor(owner: ConsumerOwner, listeners: Listeners) {
    this.#owner = owner;
    this.#listeners = listeners;
  }

  /** Begins to listen. */
  open(): void {
    const { stream, consumer, config } = this.#owner;
    const { subjects, flow } = this.#listeners;
    const scope = `${stream}.${consumer}`;
    if (config.ackPolicy === "explicit" || config.ackPolicy === "all") this.#listenForAcks();
    this.#listen(`${API_PREFIX}CONSUMER.MSG.NEXT.${scope}`, (message) => this.#requested(message));
    this.#listen(`${API_PREFIX}CONSUMER.RESET.${scope}`, (message) => {
      if (message.hasReply) this.#listeners.reset(message);
    });
    if (flow === undefined) return;
    for (const filter of subjects.flowFilters) {
      this.#listen(filter, (message) => this.#flowAnswered(flow, message));
    }
  }

  /** Ends it. */
  close(): void {
    for (const ending of this.#endings) ending();
  }

  #listen(subject: string, handler: (message: Message) => void): void {
    this.#endings.push(this.#owner.host.account.client.subscribe(subject, handler));
  }

  #listenForAcks(): void {
    const { subjects, acks } = this.#listeners;
    subjects.filters.forEach((filter, i) => {
      const start = subjects.prefixes[i].length;
      this.#listen(filter, (message) => {
        this.#listeners.acknowledged();
        acks.take(message, start);
      });
    });
  }

  #requested(message: Message): void {
    if (!message.hasReply) return;
    if (this.#listeners.pull !== undefined && message.hasHeaders && !isLevelServed(message)) {
      this.#say(message.reply, STATUS.requiredApiLevel());
    } else this.pull(message.reply, bodyOf(message));
  }

  /** Takes a pull request. @param body - valid until it returns. */
  pull(reply: string, body: Uint8Array): void {
    const { pull } = this.#listeners;
    if (pull === undefined) this.#say(reply, STATUS.pushBased());
    else pull.request(reply, body);
  }

  #flowAnswered(flow: FlowControl, message: Message): void {
    if (!flow.answered(message.subject)) return;
    if (this.#owner.config.ackPolicy !== "flow_control" || !message.hasHeaders) return;
    const { lastStream, lastConsumer } = progressOf(headersOf(message));
    if (lastStream > 0) this.#listeners.acks.through(lastStream, lastConsumer);
  }

  #say(to: string, status: Uint8Array): void {
    this.#owner.host.account.client.publish(to, status, EMPTY);
  }
}

/** The header block; it is valid as long as the message is. */
function headersOf(message: Message): Uint8Array {
  return message.bytes.subarray(message.start, message.body);
}

/** Whether this server has the level of the API that a message asks for, if it does. */
export function isLevelServed(message: Message): boolean {
  if (!message.hasHeaders) return true;
  return isRequestSupported(readHeaders(headersOf(message)).get(HEADERS.requiredApiLevel) ?? "");
}
