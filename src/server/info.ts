import type { ConnectionType } from "../broker/authenticator.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { ListenAddress } from "../seams/listener.ts";
import { API_LEVEL, NATS_VERSION } from "../seams/version.ts";
import { parseAdvertised } from "./advertised.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import type { WebsocketListener } from "./websocket/listener.ts";

/** What INFO says of a server that has not begun to listen. @param platform - what it runs on. */
export function initialInfo(options: ResolvedServerOptions, id: string, platform: string): ServerInfo {
  return {
    server_id: id,
    server_name: options.serverName ?? id,
    version: NATS_VERSION,
    proto: 1,
    go: platform,
    host: options.listen?.host ?? "",
    port: options.listen?.port ?? 0,
    headers: !options.noHeaderSupport,
    max_payload: options.maxPayload,
    jetstream: options.jetstream !== undefined || undefined,
    domain: options.jetstream?.domain,
    client_id: 0,
    api_lvl: API_LEVEL,
  };
}

/** What INFO says of the options, and of the place where the server listens. @param place - undefined where there is none. */
export function announced(
  { maxPayload, clientAdvertise, jetstream }: ResolvedServerOptions,
  place: ListenAddress | undefined,
): Partial<ServerInfo> {
  const where = place === undefined ? {} : advertised(clientAdvertise, place.host, place.port);
  return { max_payload: maxPayload, jetstream: jetstream !== undefined || undefined, ...where };
}

/**
 * Makes of INFO what it says to those who come in another way than over TCP.
 * @param asked - whether clients that come in that way must say who they are.
 */
export function adaptInfo(
  info: ServerInfo,
  type: ConnectionType,
  websocket: WebsocketListener | undefined,
  asked: boolean | undefined,
): ServerInfo {
  if (type === "IN_PROCESS") {
    // TLS, where it is required of others, may be left out in this process (nats-server `createClientEx`).
    return info.tls_required === true ? { ...info, tls_required: undefined, tls_available: true } : info;
  }
  if (type !== "WEBSOCKET" || websocket === undefined) return info;
  return { ...websocket.adaptInfo(info), auth_required: info.auth_required ?? (asked || undefined) };
}

/** Where INFO says that clients find the server: where it listens, unless it is told to say something else. */
function advertised(
  advertise: string | undefined,
  host: string,
  port: number,
): { host: string; port: number } {
  const said = advertise === undefined ? undefined : parseAdvertised(advertise);
  return said === undefined ? { host, port } : { host: said.host, port: said.port ?? port };
}
