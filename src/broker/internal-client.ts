import { assert } from "../protocol/assert.ts";
import type { Message } from "../protocol/message.ts";
import type { SubscriptionRef } from "../protocol/verbs.ts";
import type { Account } from "./account.ts";
import type { Broker } from "./broker.ts";
import { InternalPublisher, NOBODY } from "./internal-publisher.ts";

/**
 * Takes a message. It may be used until the call returns, which happens inside of the call that published it: what is done with it must
 * not take long, and must not throw.
 */
export type MessageHandler = (message: Message) => void;

/** What ends a subscription or a watch; may be called more than once. */
export type Ending = () => void;

/** The server as a client of its own in an account: it publishes and it listens. It is no connection, and counts nowhere. */
export class InternalClient extends InternalPublisher {
  readonly #handlers: Map<number, MessageHandler>;
  #lastSid = 0;

  constructor(broker: Broker, account: Account) {
    const handlers = new Map<number, MessageHandler>();
    super(broker, account, {
      ...NOBODY,
      msg: (to: SubscriptionRef, message: Message) => handlers.get(to.sid as number)?.(message),
    });
    this.#handlers = handlers;
  }

  /** Listens on a valid subject. Messages come within the publisher's call. */
  subscribe(subject: string, handler: MessageHandler, queue?: string): Ending {
    const sid = ++this.#lastSid;
    this.#handlers.set(sid, handler);
    this.session.listen(subject, queue, sid);
    return () => {
      if (this.#handlers.delete(sid)) this.session.unsub(sid, undefined);
    };
  }

  /**
   * Calls `changed` whenever somebody has begun or ceased to listen to a literal subject, also by a wildcard: {@link hasInterest} then says
   * whether anybody does. It is called inside of the call that has subscribed.
   */
  watchInterest(subject: string, changed: () => void): Ending {
    return this.account.router.watch(subject, changed);
  }

  /** Ends all its subscriptions. Watches end one by one. */
  close(): void {
    for (const sid of this.#handlers.keys()) this.session.unsub(sid, undefined);
    this.#handlers.clear();
    assert(this.session.subscriptions === 0, "all subscriptions have ended");
  }
}
