import type { Account } from "../account.ts";
import type { Session } from "../session.ts";
import type { Subscription } from "../subscription.ts";

/** Why a message was not delivered to a subscription, in nats-server's words (its msgtrace.go). */
export const NOT_DELIVERED = {
  noEcho: "Not delivered because of no echo",
  denied: "Not delivered because subscription denies this subject",
  closed: "Not delivered because subscription is closed",
  notStalled: "Not delivered because fast producer not stalled and consumer is slow",
} as const;

/** Something that happened to a traced message: it came in, was mapped, went out or was kept from it. Times are ms since the epoch. */
export type TraceEvent =
  | { type: "in"; at: number; session: Session; account: string; subject: string; error: string | undefined }
  | { type: "sm"; at: number; to: string }
  | {
      type: "eg";
      at: number;
      subscription: Subscription;
      account: string | undefined;
      error: string | undefined;
    };

/** What a {@link MessageTrace} is made with. */
export interface TraceStart {
  readonly session: Session;
  readonly subject: string;
  /** Bytes of the message's headers and payload. */
  readonly size: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The subject that the trace is to be published on, in the publisher's account. */
  readonly destination: string;
  /** Whether the message is only traced, and not delivered. */
  readonly only: boolean;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What has happened to a message that asked to be traced. */
export class MessageTrace {
  readonly account: Account;
  readonly size: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly destination: string;
  readonly only: boolean;
  readonly events: TraceEvent[];
  readonly #now: () => number;

  constructor({ session, subject, size, headers, destination, only, now }: TraceStart) {
    this.account = session.account;
    this.size = size;
    this.headers = headers;
    this.destination = destination;
    this.only = only;
    this.#now = now;
    this.events = [
      { type: "in", at: now(), session, account: session.account.name, subject, error: undefined },
    ];
  }

  /** A mapping has changed the message's subject. */
  mapped(to: string): void {
    this.events.push({ type: "sm", at: this.#now(), to });
  }

  /** The message was refused. */
  refused(error: string | undefined): void {
    const [ingress] = this.events;
    if (ingress.type === "in") ingress.error = error;
  }

  /** The message went to a subscription, or was kept from it for the reason given. */
  egress(subscription: Subscription, error: string | undefined): void {
    const { account } = subscription.session;
    this.events.push({
      type: "eg",
      at: this.#now(),
      subscription,
      account: account === this.account ? undefined : account.name,
      error,
    });
  }
}

/** Takes traces when they are done. */
export interface Tracer {
  traced(trace: MessageTrace): void;
}

/** Traces an account's messages by `traceparent` too: where to, and how many in a hundred. */
export interface AccountTrace {
  readonly dest: string;
  readonly sampling: number;
}
