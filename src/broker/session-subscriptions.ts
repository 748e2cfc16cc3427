import { assert } from "../protocol/assert.ts";
import {
  FAULTS,
  type ProtocolFault,
  quote,
  subscriptionViolation,
  tooManyTokens,
} from "../protocol/faults.ts";
import { isValidSubject } from "../protocol/subject.ts";
import type { Sid } from "../protocol/verbs.ts";
import type { Permissions } from "./permissions.ts";
import type { Session } from "./session.ts";
import { Subscription } from "./subscription.ts";

/** The queue name that nats-server keeps for itself. */
const SYSTEM_QUEUE = "_sys_";

/** Why a subscription is not taken: what the client is told, and what the log says. */
export interface SubscriptionRefusal {
  readonly fault: ProtocolFault;
  readonly detail: string;
}

/** What one client has subscribed to. */
export class SessionSubscriptions {
  readonly #session: Session;
  readonly #bySid = new Map<Sid, Subscription>();
  /** How many there may be; a session sets it as soon as it opens. */
  max = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  get size(): number {
    return this.#bySid.size;
  }

  get(sid: Sid): Subscription | undefined {
    return this.#bySid.get(sid);
  }

  /** All of them; any may be removed meanwhile. */
  all(): MapIterator<Subscription> {
    return this.#bySid.values();
  }

  /**
   * Why a subscription may not be made, if it may not.
   * @param maxTokens - tokens that its subject may have; 0 for no limit.
   */
  refusal(
    subject: string,
    queue: string | undefined,
    sid: Sid,
    permissions: Permissions | undefined,
    maxTokens: number,
  ): SubscriptionRefusal | undefined {
    if (queue === SYSTEM_QUEUE || permissions?.maySubscribe(subject, queue) === false)
      return violation(subject, queue, sid);
    if (maxTokens > 0 && subject.split(".").length > maxTokens) {
      const detail = `Subscription Violation Too Many Tokens - Subject ${quote(subject)}, SID ${sid}`;
      return { fault: tooManyTokens(subject), detail };
    }
    if (this.#bySid.size >= this.max) {
      return { fault: FAULTS.maxSubscriptions, detail: "maximum subscriptions exceeded" };
    }
    // The first of two with one id stays, without a word.
    if (!this.#bySid.has(sid) && !isValidSubject(subject)) {
      return { fault: FAULTS.invalidSubject, detail: `invalid subject "${subject}"` };
    }
    return undefined;
  }

  /** Makes a subscription. */
  add(subject: string, queue: string | undefined, sid: Sid): void {
    assert(!this.#bySid.has(sid), "a subscription's id is its own");
    const subscription = new Subscription(this.#session, subject, queue, sid);
    this.#bySid.set(sid, subscription);
    this.#session.account.router.insert(subscription);
  }

  /** Ends a subscription. */
  remove(subscription: Subscription): void {
    subscription.closed = true;
    this.#bySid.delete(subscription.sid);
    this.#session.account.router.remove(subscription);
  }
}

/** The user may not have the subscription. */
function violation(subject: string, queue: string | undefined, sid: Sid): SubscriptionRefusal {
  const group = queue === undefined ? "" : `, Queue: ${quote(queue)}`;
  const detail = `Subscription Violation - Subject ${quote(subject)}${group}, SID ${sid}`;
  return { fault: subscriptionViolation(subject, queue), detail };
}
