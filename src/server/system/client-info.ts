import type { Session } from "../../broker/session.ts";
import { goTime, nanoseconds, orOmit } from "../monitor/go-format.ts";

/** What events say of a client (nats-server events.go `ClientInfo`). */
export function clientInfo(session: Session, stoppedAt: number | undefined) {
  const { rtt } = session.record();
  return {
    ...whoIs(session),
    rtt: stoppedAt === undefined ? undefined : orOmit(nanoseconds(rtt)),
    stop: stoppedAt === undefined ? undefined : goTime(stoppedAt),
    name_tag: session.record().account,
    ...kindOf(session),
  };
}

/** What is said of a client that asks for something, by the server with this name. */
export function requesterInfo(session: Session, server: string) {
  return { ...whoIs(session), rtt: orOmit(nanoseconds(session.record().rtt)), server, ...kindOf(session) };
}

function whoIs(session: Session) {
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
  };
}

function kindOf(session: Session) {
  return { kind: "Client", client_type: session.record().kind };
}
