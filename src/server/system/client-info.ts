import type { Session } from "../../broker/session.ts";
import { goTime, nanoseconds, orOmit } from "../monitor/go-format.ts";

/** What events say of a client (nats-server events.go `ClientInfo`). */
export function clientInfo(session: Session, stoppedAt: number | undefined) {
  const record = session.record();
  return {
    start: goTime(record.startedAt),
    host: orOmit(record.host),
    id: record.id,
    acc: record.account,
    user: orOmit(record.user),
    name: orOmit(record.name),
    lang: orOmit(record.lang),
    ver: orOmit(record.version),
    rtt: stoppedAt === undefined ? undefined : orOmit(nanoseconds(record.rtt)),
    stop: stoppedAt === undefined ? undefined : goTime(stoppedAt),
    name_tag: record.account,
    kind: "Client",
    client_type: record.kind,
  };
}
