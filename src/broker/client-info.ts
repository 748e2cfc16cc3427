import type { ServerInfo } from "../protocol/info.ts";
import type { BrokerContext } from "./broker.ts";
import type { Session } from "./session.ts";

/** INFO as it is said to one client. @param info - what it says of the server, where that is not what it says now. */
export function infoFor(session: Session, context: BrokerContext, info = context.info()): ServerInfo {
  const own: ServerInfo = { ...info, client_id: session.id, max_payload: session.maxPayload };
  if (session.remoteHost !== "") own.client_ip = session.remoteHost;
  return context.adaptInfo === undefined ? own : context.adaptInfo(own, session.type);
}

/** INFO as it is said once the client is in: it also tells where. */
export function infoOnceIn(session: Session, context: BrokerContext): ServerInfo {
  const info = infoFor(session, context);
  info.connect_info = true;
  info.remote_account = session.account.name;
  if (session.account.isSystem) info.acc_is_sys = true;
  return info;
}
