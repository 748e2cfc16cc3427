import type { ListenAddress } from "../seams/listener.ts";

/** "host:port" by which programs on this machine reach a listener, also one on all addresses. */
export function reachable({ host, port }: ListenAddress): string {
  return hostPort({ host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host, port });
}

/** "host:port", with an IPv6 address in brackets. */
export function hostPort({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
