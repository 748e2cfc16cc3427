import { Message } from "../protocol/message.ts";
import type { Account } from "./account.ts";
import type { Broker } from "./broker.ts";
import { Session } from "./session.ts";
import type { SessionPeer } from "./session-peer.ts";

/** The server's own voice in an account: events, and answers of its services. It is no connection, and counts nowhere. */
export class InternalPublisher {
  readonly #account: Account;
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #message: Message;

  constructor(broker: Broker, account: Account) {
    this.#broker = broker;
    this.#account = account;
    const { slab } = broker.context;
    this.#session = new Session(broker, NOBODY, {
      remoteHost: "",
      remotePort: 0,
      slab,
      type: "IN_PROCESS",
      internal: account,
    });
    this.#message = new Message(slab);
  }

  /** Whether anybody would get a message on the subject. */
  hasInterest(subject: string): boolean {
    const { plain, groups } = this.#account.router.find(subject);
    return plain.length + groups.length > 0;
  }

  /** Begins or ends to log what is published. */
  trace(on: boolean): void {
    this.#session.trace(on);
  }

  /** Publishes; what it causes happens after the code that runs now. */
  publish(subject: string, headers: Uint8Array | undefined, payload: string | Uint8Array): void {
    this.#message.setValue(subject, undefined, headers, payload);
    this.#session.pub(this.#message);
    this.#broker.flushSoon();
  }
}

/** The other end of a session that hears nothing. */
const NOBODY: SessionPeer = {
  headers: true,
  behind: false,
  stalled: false,
  pending: 0,
  rtt: 0,
  info() {},
  msg() {},
  ok() {},
  err() {},
  ping() {},
  pong() {},
  flush() {},
  close() {},
  suspend() {},
};
