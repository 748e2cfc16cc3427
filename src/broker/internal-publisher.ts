import { Message, type ReplyWriter } from "../protocol/message.ts";
import type { Account } from "./account.ts";
import type { Broker } from "./broker.ts";
import { InternalSession } from "./internal-session.ts";
import type { SessionPeer } from "./session-peer.ts";

/** The server's own voice in an account: events, and answers of its services. It is no connection, and counts nowhere. */
export class InternalPublisher {
  protected readonly account: Account;
  protected readonly broker: Broker;
  protected readonly session: InternalSession;
  readonly #message: Message;
  #busy = false;

  /** @param peer - what hears what the session hears; by default nothing does. */
  constructor(broker: Broker, account: Account, peer: SessionPeer = NOBODY) {
    this.account = account;
    this.broker = broker;
    this.session = new InternalSession(broker, account, peer);
    this.#message = new Message(broker.context.slab);
  }

  /** Whether anybody would get a message on the subject. */
  hasInterest(subject: string): boolean {
    const { plain, groups } = this.account.router.find(subject);
    return plain.length + groups.length > 0;
  }

  /** Of those who got what was delivered last: one that is behind with taking it, if any still is. */
  get behind(): { readonly behind: boolean } | undefined {
    return this.session.heldBy;
  }

  /** Whoever is behind with what was published before: {@link behind} is about what comes from now on. */
  forgetBehind(): void {
    this.session.forgetBehind();
  }

  /** Whether somebody listens on just this subject, in this queue group; without one ("") as itself. */
  isHeard(subject: string, queue: string): boolean {
    const { plain, groups } = this.account.router.find(subject);
    if (queue === "") return plain.some((each) => each.subject === subject);
    return groups.some((group) => group[0].queue === queue && group[0].subject === subject);
  }

  /** The most bytes of a message in the account. */
  get maxPayload(): number {
    return this.account.maxPayload(this.broker.context.limits.maxPayload);
  }

  /** Begins or ends to log what is published. */
  trace(on: boolean): void {
    this.session.trace(on);
  }

  /** Publishes as a client would, but with no subject or reply forbidden; what it causes happens after the code that runs now. */
  publish(
    subject: string,
    headers: Uint8Array | undefined,
    payload: string | Uint8Array,
    reply?: string,
  ): void {
    const busy = this.#busy;
    const message = this.#free();
    message.setValue(subject, reply, headers, payload);
    this.session.pub(message);
    this.#busy = busy;
    this.broker.flushSoon();
  }

  /** The same, with headers `bytes[0, body)` and the payload `bytes[body, end)`. */
  publishBlock(subject: string, bytes: Uint8Array, body: number, end: number): void {
    const busy = this.#busy;
    const message = this.#free();
    message.setBlock(subject, bytes, body, end);
    this.session.pub(message);
    this.#busy = busy;
    this.broker.flushSoon();
  }

  /** The message to fill: not the one of a call that goes on, which is still on its way to others. */
  #free(): Message {
    if (this.#busy) return new Message(this.broker.context.slab);
    this.#busy = true;
    return this.#message;
  }

  /**
   * Gives a message to those who listen on `to`, while the message itself shows another subject and reply: how a stored message gets to
   * a consumer's client. It goes out after the code that runs now.
   * @returns whether anybody got it.
   */
  deliver(
    to: string,
    subject: string,
    reply: string | ReplyWriter | undefined,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): boolean {
    const busy = this.#busy;
    const message = this.#free();
    message.setValue(subject, reply, headers, payload);
    const delivered = this.session.send(to, message);
    this.#busy = busy;
    this.broker.flushSoon();
    return delivered;
  }
}

/** The other end of a session that hears nothing. */
export const NOBODY: SessionPeer = {
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
