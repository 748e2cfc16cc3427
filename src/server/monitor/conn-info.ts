import { GLOBAL_ACCOUNT } from "../../broker/account.ts";
import type {
  ClosedConnection,
  ConnectionRecord,
  SubscriptionRecord,
} from "../../broker/connection-record.ts";
import { goRtt, goTime, orOmit, uptime } from "./go-format.ts";
import { clientSubDetail, type SubDetail, subDetail } from "./sub-detail.ts";

/** How much to tell of a connection. */
export interface ConnInfoOptions {
  /** Whether to say who it is. */
  auth?: boolean;
  /** Whether to list the subjects it has subscribed to, or all about them. */
  subscriptions?: boolean;
  subscriptions_detail?: boolean;
}

/** A connection as monitoring shows it (nats-server `ConnInfo`). */
export type ConnInfo = ReturnType<typeof openConnInfo>;

/** One that is open. */
export function openConnInfo(
  record: ConnectionRecord,
  subscriptions: readonly SubscriptionRecord[],
  now: number,
  options: ConnInfoOptions,
) {
  return connInfo(record, now, {}, lists(subscriptions, clientSubDetail, options), {
    ...identity(record, options),
    name_tag: options.auth ? record.account : undefined,
    tls_peer_certs: options.auth ? peerCerts(record) : undefined,
  });
}

/** One that has ended. */
export function closedConnInfo(record: ClosedConnection, options: ConnInfoOptions): ConnInfo {
  const who = identity(record, options);
  return connInfo(
    record,
    record.stoppedAt,
    { stop: goTime(record.stoppedAt), reason: record.reason },
    lists(record.subscriptionList, subDetail, options),
    { ...who, name_tag: who.account },
  );
}

function connInfo(
  record: ConnectionRecord,
  now: number,
  end: { stop?: string; reason?: string },
  lists: { subscriptions_list?: string[]; subscriptions_list_detail?: SubDetail[] },
  who: { authorized_user?: string; account?: string; name_tag?: string; tls_peer_certs?: PeerCert[] },
) {
  const { traffic } = record;
  return {
    cid: record.id,
    kind: "Client",
    type: record.kind,
    ip: record.host,
    port: record.port,
    start: goTime(record.startedAt),
    last_activity: goTime(record.lastActivity),
    stop: end.stop,
    reason: end.reason,
    rtt: goRtt(record.rtt),
    uptime: uptime(now - record.startedAt),
    idle: uptime(now - record.lastActivity),
    pending_bytes: record.pending,
    in_msgs: traffic.inMsgs,
    out_msgs: traffic.outMsgs,
    in_bytes: traffic.inBytes,
    out_bytes: traffic.outBytes,
    stalls: orOmit(record.stalls),
    subscriptions: record.subscriptions,
    name: orOmit(record.name),
    lang: orOmit(record.lang),
    version: orOmit(record.version),
    tls_version: record.tls?.version,
    tls_cipher_suite: record.tls?.cipherSuite,
    tls_peer_certs: who.tls_peer_certs,
    tls_first: orOmit(record.tlsFirst),
    authorized_user: who.authorized_user,
    account: who.account,
    subscriptions_list: lists.subscriptions_list,
    subscriptions_list_detail: lists.subscriptions_list_detail,
    name_tag: who.name_tag,
  };
}

function identity(record: ConnectionRecord, options: ConnInfoOptions) {
  if (!options.auth) return {};
  const account = record.account === GLOBAL_ACCOUNT ? undefined : record.account;
  return { authorized_user: orOmit(record.user), account };
}

function lists(
  records: readonly SubscriptionRecord[],
  detail: (record: SubscriptionRecord) => SubDetail,
  options: ConnInfoOptions,
): { subscriptions_list?: string[]; subscriptions_list_detail?: SubDetail[] } {
  if (records.length === 0) return {};
  if (options.subscriptions_detail) return { subscriptions_list_detail: records.map(detail) };
  return options.subscriptions ? { subscriptions_list: records.map(({ subject }) => subject) } : {};
}

/** A certificate that a client has shown (nats-server `TLSPeerCert`). */
export interface PeerCert {
  subject: string;
  spki_sha256: string;
  cert_sha256: string;
}

function peerCerts({ tls }: ConnectionRecord): PeerCert[] | undefined {
  return orOmit(
    tls?.peerCertificates.map(({ subject, spkiSha256, certSha256 }) => ({
      subject,
      spki_sha256: spkiSha256,
      cert_sha256: certSha256,
    })),
  );
}
