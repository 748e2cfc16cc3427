import type { Interest } from "../interest/subject-tree.ts";
import type { Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { SubscriptionRecord } from "./connection-record.ts";
import type { Session } from "./session.ts";

/** One `SUB` of one connection. */
export class Subscription implements Interest, SubscriptionRef {
  readonly session: Session;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly sid: Sid;
  slot = 0;
  /** Messages delivered since `SUB`. */
  delivered = 0;
  /** `UNSUB <sid> <max>`: it ends with the message that makes `delivered` this many; 0 for no end. */
  max = 0;
  /** Routes in use may still name a subscription that has ended. */
  closed = false;

  constructor(session: Session, subject: string, queue: string | undefined, sid: Sid) {
    this.session = session;
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
  }

  /** What monitoring shows of it. */
  record(): SubscriptionRecord {
    return {
      account: this.session.account.name,
      subject: this.subject,
      queue: this.queue,
      sid: String(this.sid),
      delivered: this.delivered,
      max: this.max,
      cid: this.session.id,
    };
  }
}
