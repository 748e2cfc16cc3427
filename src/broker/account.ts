import { Router } from "../interest/router.ts";
import type { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";

/** The account of every connection, as long as none are configured. */
export const GLOBAL_ACCOUNT = "$G";

/** {@link Router} flag: clients may not publish on this subject. */
export const RESERVED_SUBJECT = 1;

/**
 * A subject space of its own: what is published in one account is heard in that account. All state of routing is in here.
 */
export class Account {
  readonly name: string;
  readonly router = new Router<Subscription>({ classify });
  readonly sessions = new Set<Session>();

  constructor(name: string) {
    this.name = name;
  }
}

/** Subjects that servers use among themselves: gateway replies and Raft groups (behaviour.md A.7). */
function classify(subject: string): number {
  return subject.startsWith("_GR_.") || subject.startsWith("$NRG.") ? RESERVED_SUBJECT : 0;
}

/** Reply subjects that only a server may set: service replies, gateway replies, JetStream acks. */
const RESERVED_REPLIES = ["_R_.", "_GR_.", "$JS.ACK."];

/** Whether a client may not use this reply subject. */
export function isReservedReply(reply: string): boolean {
  for (const prefix of RESERVED_REPLIES)
    if (reply.length > prefix.length && reply.startsWith(prefix)) return true;
  return false;
}

/** Whether a reply subject that begins with these bytes is worth a look by {@link isReservedReply}. */
export function mayBeReserved(first: number, second: number): boolean {
  // "_R", "_G" or "$J"; not "_I" of "_INBOX", which nearly all of them begin with.
  return (first === 95 && (second === 82 || second === 71)) || (first === 36 && second === 74);
}
