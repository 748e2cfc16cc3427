import type { SubscriptionRecord } from "../../broker/connection-record.ts";
import { orOmit } from "./go-format.ts";

/** A subscription as monitoring shows it (nats-server `SubDetail`). */
export interface SubDetail {
  account?: string;
  account_tag?: string;
  subject: string;
  qgroup?: string;
  sid: string;
  msgs: number;
  max?: number;
  cid: number;
}

/** As it is shown where the connection says whose it is. */
export function clientSubDetail(record: SubscriptionRecord): SubDetail {
  return {
    subject: record.subject,
    qgroup: record.queue,
    sid: record.sid,
    msgs: record.delivered,
    max: orOmit(record.max),
    cid: record.cid,
  };
}

/** With the account. */
export function subDetail(record: SubscriptionRecord): SubDetail {
  return { account: record.account, account_tag: record.account, ...clientSubDetail(record) };
}

/** The part of a list that `offset` and `limit` ask for. */
export function page<T>(list: readonly T[], offset: number, limit: number): T[] {
  return list.slice(offset, offset + limit);
}
