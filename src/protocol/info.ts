/** What a server says of itself in `INFO` (behaviour.md A.4). Names and order are the wire's. */
export interface ServerInfo {
  /** 56 characters, an nkey that begins with `N`. */
  server_id: string;
  server_name: string;
  /** The nats-server release whose behaviour this is: clients switch features on by it. */
  version: string;
  proto: number;
  git_commit?: string;
  /** What the server runs on (a Go version for nats-server). */
  go: string;
  host: string;
  port: number;
  headers: boolean;
  auth_required?: boolean;
  tls_required?: boolean;
  tls_verify?: boolean;
  tls_available?: boolean;
  /** Bytes of headers and payload together. */
  max_payload: number;
  jetstream?: boolean;
  client_id: number;
  client_ip?: string;
  nonce?: string;
  cluster?: string;
  domain?: string;
  connect_urls?: string[];
  ldm?: boolean;
  /** True in the `INFO` that answers the first `PING` after `CONNECT`. */
  connect_info?: boolean;
  /** The account the connection is in; only with `connect_info`. */
  remote_account?: string;
  acc_is_sys?: boolean;
  /** The JetStream API level (ADR-44). */
  api_lvl?: number;
}

/** The order that nats-server writes the fields in (its struct's). */
const ORDER: readonly (keyof ServerInfo)[] = [
  "server_id",
  "server_name",
  "version",
  "proto",
  "git_commit",
  "go",
  "host",
  "port",
  "headers",
  "auth_required",
  "tls_required",
  "tls_verify",
  "tls_available",
  "max_payload",
  "jetstream",
  "client_id",
  "client_ip",
  "nonce",
  "cluster",
  "domain",
  "connect_urls",
  "ldm",
  "connect_info",
  "remote_account",
  "acc_is_sys",
  "api_lvl",
];

/** The line as nats-server writes it: with a space before CRLF. */
export function infoLine(info: ServerInfo): string {
  return `INFO ${JSON.stringify(info, ORDER as string[])} \r\n`;
}
