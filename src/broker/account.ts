import { Router } from "../interest/router.ts";
import type { Message } from "../protocol/message.ts";
import type { AccountMappings } from "./mappings.ts";
import type { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";
import type { AccountTrace } from "./trace/message-trace.ts";
import { addTraffic, type Traffic } from "./traffic.ts";

/** The account of connections that belong to no other. */
export const GLOBAL_ACCOUNT = "$G";

/** {@link Router} flag: clients may not publish on this subject. */
export const RESERVED_SUBJECT = 1;

/** {@link Router} flag: the server itself may serve requests on this subject. */
export const SERVICE_SUBJECT = 2;

/**
 * A subject space of its own: what is published in one account is heard in that account. All state of routing is in here.
 */
export class Account {
  readonly name: string;
  /** Whether it is the one that the server's own events and services are in. */
  readonly isSystem: boolean;
  readonly router: Router<Subscription>;
  readonly sessions = new Set<Session>();
  limits: Readonly<AccountLimits> = NO_LIMITS;
  /** What the subjects of published messages become; undefined without mappings. */
  mappings: AccountMappings | undefined;
  /** What connections that are closed now have sent and got. */
  readonly past: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  /** Connections that were closed because they did not read what was sent to them. */
  slowConsumers = 0;
  /** How messages with a sampled `traceparent` are traced; undefined when they are not. */
  trace: AccountTrace | undefined;

  constructor(name: string, isSystem: boolean, forgetful: boolean) {
    this.name = name;
    this.isSystem = isSystem;
    this.router = new Router<Subscription>({ classify: isSystem ? classifySystem : classify, forgetful });
  }

  /** The most bytes of a message: as many as the server takes, or fewer. @param server - what the server takes. */
  maxPayload(server: number): number {
    const { maxPayload } = this.limits;
    return maxPayload >= 0 ? Math.min(server, maxPayload) : server;
  }

  /** How many subscriptions each connection may have. @param server - what the server takes; 0 for no limit. */
  maxSubscriptions(server: number): number {
    const { maxSubscriptions } = this.limits;
    return Math.min(server || Infinity, maxSubscriptions >= 0 ? maxSubscriptions : Infinity);
  }

  /** Messages and bytes since the start, of all its connections. */
  traffic(): Traffic {
    const sum = { ...this.past };
    for (const session of this.sessions) addTraffic(sum, session.traffic);
    return sum;
  }
}

/** What an account may have; -1 for no limit. */
export interface AccountLimits {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Subscriptions of each connection. */
  readonly maxSubscriptions: number;
  /** Bytes of a message. */
  readonly maxPayload: number;
}

/** The limits of an account that has none. */
export const NO_LIMITS: Readonly<AccountLimits> = {
  maxConnections: -1,
  maxSubscriptions: -1,
  maxPayload: -1,
};

/** What subjects of requests to JetStream are below. */
export const API_SUBJECT = "$JS.API";
/** What they begin with. */
export const API_PREFIX = `${API_SUBJECT}.`;

/** Subjects that servers use among themselves: gateway replies and Raft groups (behaviour.md A.7). */
function classify(subject: string): number {
  const first = subject[0];
  // Programs' own subjects begin with neither.
  if (first !== "$" && first !== "_") return 0;
  return subject.startsWith("$NRG.") ? RESERVED_SUBJECT : classifySystem(subject);
}

function classifySystem(subject: string): number {
  if (isService(subject)) return hasEmptyToken(subject) ? 0 : SERVICE_SUBJECT;
  return subject.startsWith("_GR_.") ? RESERVED_SUBJECT : 0;
}

function isService(subject: string): boolean {
  if (subject.startsWith(API_PREFIX)) return !isHeard(subject);
  return subject.startsWith("$SYS.REQ.") || subject === "$SYS.DEBUG.SUBSCRIBERS";
}

/** Such a subject matches nothing. */
function hasEmptyToken(subject: string): boolean {
  return subject.endsWith(".") || subject.includes("..");
}

/** The requests of the API that streams and consumers listen for themselves, as each message may be asked for by one. */
function isHeard(subject: string): boolean {
  return HEARD.some((prefix) => subject.startsWith(prefix, API_PREFIX.length));
}

const HEARD = ["DIRECT.GET.", "CONSUMER.MSG.NEXT."];

/** Reply subjects that only a server may set: service replies, gateway replies, JetStream acks. */
const RESERVED_REPLIES = ["_R_.", "_GR_.", "$JS.ACK."];

/** Whether a message's reply subject is one that a client may not use. */
export function hasReservedReply(message: Message): boolean {
  if (message.onWire) {
    const { bytes, replyStart } = message;
    if (!mayBeReserved(bytes[replyStart], bytes[replyStart + 1])) return false;
  } else {
    const { reply } = message;
    if (!mayBeReserved(reply.charCodeAt(0), reply.charCodeAt(1))) return false;
  }
  const { reply } = message;
  for (const prefix of RESERVED_REPLIES)
    if (reply.length > prefix.length && reply.startsWith(prefix)) return true;
  return false;
}

/** Whether a reply subject that begins with these bytes is worth a look. */
function mayBeReserved(first: number, second: number): boolean {
  // "_R", "_G" or "$J"; not "_I" of "_INBOX", which nearly all of them begin with.
  return (first === 95 && (second === 82 || second === 71)) || (first === 36 && second === 74);
}
