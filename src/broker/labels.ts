import type { ConnectOptions } from "../protocol/connect-options.ts";
import { quote } from "../protocol/faults.ts";
import type { Admission, ConnectionType } from "./authenticator.ts";

/** How nats-server's log lines name a client: `127.0.0.1:5000 - cid:3 - "v1.2:go:app" - "$G/user:joe"`. */
export function clientLabel(
  client: {
    readonly id: number;
    readonly remoteHost: string;
    readonly remotePort: number;
    readonly type: ConnectionType;
    readonly forwardedFor: string | undefined;
  },
  details = "",
): string {
  const { remoteHost: host, remotePort: port, forwardedFor } = client;
  const behind = forwardedFor === undefined ? "" : `${bracketed(forwardedFor)}/`;
  const from = host === "" ? "pipe" : `${behind}${bracketed(host)}:${port}`;
  return `${from} - ${client.type === "WEBSOCKET" ? "wid" : "cid"}:${client.id}${details}`;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** What follows in the label once `CONNECT` has come: what the client is, and as whom it was let in. */
export function userLabel(
  options: ConnectOptions,
  account: string,
  admission: Admission | undefined,
): string {
  const { version, lang, name } = options;
  const what = [version === "" ? "" : `v${version}`, lang, name].filter((part) => part !== "").join(":");
  const who = whoLabel(options, admission);
  return (what === "" ? "" : ` - ${quote(what)}`) + (who === "" ? "" : ` - ${quote(`${account}/${who}`)}`);
}

function whoLabel(options: ConnectOptions, admission: Admission | undefined): string {
  if (options.nkey !== "") return `nkey:${options.nkey}`;
  const user = admission?.user ?? options.user;
  if (user !== "") return `user:${user}`;
  return options.auth_token !== "" ? "token" : "";
}
