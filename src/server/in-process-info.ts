import type { ServerInfo } from "../protocol/info.ts";

/** What INFO says in this process: TLS, where it is required of others, may be left out here (nats-server `createClientEx`). */
export function inProcessInfo(info: ServerInfo): ServerInfo {
  return info.tls_required === true ? { ...info, tls_required: undefined, tls_available: true } : info;
}
