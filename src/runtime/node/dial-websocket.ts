import { WebSocket as WsSocket } from "ws";
import type { ClientLink, TlsClientOptions } from "../../seams/dial.ts";
import { opened, type WebSocketLike } from "../client-websocket-link.ts";
import { tlsOptions } from "./client-link.ts";

/** The platform's own WebSocket, where it has one. */
const { WebSocket: OwnSocket } = globalThis as { WebSocket?: new (url: string) => WebSocketLike };

/**
 * Opens a WebSocket: the platform's own when there is one and it need not be told anything of TLS, else that of `ws`.
 * @param tls - as for TCP.
 */
export async function dialWebSocket(url: string, tls: TlsClientOptions | undefined): Promise<ClientLink> {
  const encrypted = url.startsWith("wss:");
  const later = (delay: number, action: () => void): void => void setTimeout(action, delay);
  if (OwnSocket !== undefined && (!encrypted || tls === undefined || Object.keys(tls).length === 0)) {
    return opened(new OwnSocket(url), encrypted, later);
  }
  const { hostname } = new URL(url);
  const options = encrypted ? await tlsOptions(tls ?? {}, hostname.replace(/^\[|\]$/g, ""), hostname) : {};
  // The URL says where it goes.
  const { host: _, ...rest } = options;
  const socket = new WsSocket(url, { ...rest, perMessageDeflate: false, maxPayload: 0 });
  return opened(socket as unknown as WebSocketLike, encrypted, later);
}
