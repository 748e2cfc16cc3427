import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { TlsFacts } from "../seams/tls.ts";
import type { Session } from "./session.ts";
import type { SessionPeer } from "./session-peer.ts";
import type { Traffic } from "./traffic.ts";

/** How a client's bytes come, in monitoring's words. */
export type ConnectionKind = "nats" | "websocket";

/** A subscription, as monitoring shows it. */
export interface SubscriptionRecord {
  readonly account: string;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly sid: string;
  /** Messages delivered, and the number it ends with (0: none). */
  readonly delivered: number;
  readonly max: number;
  readonly cid: number;
}

/** What is known of a connection at some time. Times are in ms since the epoch. */
export interface ConnectionRecord {
  readonly id: number;
  readonly kind: ConnectionKind;
  /** "" and 0 for a connection without a socket. */
  readonly host: string;
  readonly port: number;
  readonly startedAt: number;
  readonly lastActivity: number;
  /** The way to the client and back, in ms; 0 when it is not known. */
  readonly rtt: number;
  /** Bytes that wait for the client. */
  readonly pending: number;
  readonly traffic: Readonly<Traffic>;
  /** How often it was held back because a receiver was behind. */
  readonly stalls: number;
  readonly subscriptions: number;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  /** Who it says it is, as monitoring may show it; "" when it says nothing. */
  readonly user: string;
  readonly account: string;
  /** Undefined without TLS. */
  readonly tls: TlsFacts | undefined;
  /** Whether the TLS handshake came before INFO. */
  readonly tlsFirst: boolean;
}

/** A connection that has ended. */
export interface ClosedConnection extends ConnectionRecord {
  readonly stoppedAt: number;
  readonly reason: ClosedReason;
  readonly subscriptionList: readonly SubscriptionRecord[];
}

/** What is known of a session now. @param peer - its other end. */
export function recordOf(session: Session, peer: SessionPeer): ConnectionRecord {
  const { name, lang, version } = session.login.options;
  return {
    id: session.id,
    kind: session.type === "WEBSOCKET" ? "websocket" : "nats",
    host: session.remoteHost,
    port: session.remotePort,
    startedAt: session.startedAt,
    lastActivity: session.lastActivity,
    rtt: peer.rtt,
    pending: peer.pending,
    traffic: { ...session.traffic },
    stalls: session.stalls,
    subscriptions: session.subscriptions,
    name,
    lang,
    version,
    user: shownUser(session),
    account: session.account.name,
    tls: session.tls,
    tlsFirst: session.tlsFirst,
  };
}

/** Whom a client says it is, as nats-server's monitoring shows it: never a secret. */
function shownUser({ login }: Session): string {
  const { nkey, user, auth_token } = login.options;
  return nkey || user || login.user || (auth_token === "" ? "" : "[REDACTED]");
}
