import type { PermissionViolationError } from "./core.ts";
import type { ClientMsg } from "./msg.ts";

/** A request that waits for its answer, or answers. */
export interface PendingRequest {
  readonly subject: string;
  /** The last token of its reply subject; set by {@link RequestInbox.add}. */
  token: string;
  /** An answer, or the word that there is nobody to give one. */
  answer(msg: ClientMsg): void;
  /** There will be no answer. */
  fail(error: Error): void;
}

/** The inbox that the requests of a connection share, `<inbox>.*`: the last token tells which request an answer is for. */
export class RequestInbox {
  /** The inbox with the dot at its end. */
  readonly prefix: string;
  /** Requests by the first part of their token. */
  readonly #slots: (PendingRequest | undefined)[] = [];
  readonly #free: number[] = [];
  /** Requests whose token somebody else has made. */
  readonly #foreign = new Map<string, PendingRequest>();
  #count = 0;

  constructor(inbox: string) {
    this.prefix = `${inbox}.`;
  }

  /** The subject of the subscription. */
  get subject(): string {
    return `${this.prefix}*`;
  }

  /** Waits for answers to `request`: gives it its token, `<slot>-<number>`. The number is new each time, as answers may come late. */
  add(request: PendingRequest): void {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#count += 1;
    request.token = `${slot}-${this.#count.toString(36)}`;
    this.#slots[slot] = request;
  }

  /** The request wants no more answers. */
  remove(request: PendingRequest): void {
    const slot = slotOf(request.token, 0);
    if (this.#slots[slot] !== request) return;
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /** Gives an answer to the request it is for, if that still waits. */
  dispatch(msg: ClientMsg): void {
    const { prefix } = this;
    const { subject } = msg;
    const request = this.#slots[slotOf(subject, prefix.length)];
    if (request !== undefined) {
      const { token } = request;
      if (subject.length === prefix.length + token.length && subject.endsWith(token)) {
        request.answer(msg);
        return;
      }
    }
    if (this.#foreign.size > 0) this.#foreign.get(subject.slice(prefix.length))?.answer(msg);
  }

  /** Waits for answers to a request that has a token already. */
  addForeign(request: PendingRequest): void {
    this.#foreign.set(request.token, request);
  }

  removeForeign(request: PendingRequest): void {
    this.#foreign.delete(request.token);
  }

  #waiting(): PendingRequest[] {
    return [...this.#slots.filter((request) => request !== undefined), ...this.#foreign.values()];
  }

  /** The server allows no subscription to the inbox, or no publishing to a request's subject. */
  denied(error: PermissionViolationError): void {
    if (error.operation !== "subscription") {
      this.#waiting()
        .find(({ subject }) => subject === error.subject)
        ?.fail(error);
    } else if (error.subject === this.subject) this.failAll(error);
  }

  /** The connection ends, or is lost. */
  failAll(error: Error): void {
    for (const request of this.#waiting()) request.fail(error);
  }
}

/** The number that a token at `start` begins with; -1 if it does not. */
function slotOf(text: string, start: number): number {
  let slot = -1;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) break;
    slot = slot < 0 ? digit : slot * 10 + digit;
  }
  return slot;
}
