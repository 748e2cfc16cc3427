import type { ConnectOptions as ConnectFields } from "../protocol/connect-options.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { errors } from "./core.ts";
import type { Target } from "./dial.ts";
import type { Settings } from "./options.ts";

/**
 * Whether the link is to be changed to TLS, now that the server has introduced itself.
 * @throws errors.ConnectionError when client and server do not agree.
 */
export function wantsTls(info: ServerInfo, settings: Settings, target: Target, encrypted: boolean): boolean {
  const { tls, way } = settings;
  const { scheme } = target.server.address;
  const offered = info.tls_required === true || info.tls_available === true;
  const asked = (tls !== undefined && tls !== null) || scheme === "tls";
  if (way.kind === "in-process" || way.kind === "port" || scheme.startsWith("ws") || encrypted) return false;
  if (asked && !offered) throw new errors.ConnectionError("server does not support 'tls'");
  if (tls === null && info.tls_required) {
    throw new errors.ConnectionError("server requires 'tls', which option 'tls' (null) forbids");
  }
  return tls !== null && offered;
}

/**
 * The fields of `CONNECT`. Credentials of a server's URL are for that server, and go before those of the options.
 * @throws errors.ConnectionError when the server cannot do what an option asks; whatever the authenticator throws.
 */
export function connectFields(
  info: ServerInfo,
  settings: Settings,
  target: Target,
  version: string,
  encrypted: boolean,
): Partial<ConnectFields> {
  const { name, noEcho, verbose, pedantic, authenticator } = settings;
  if (noEcho && !(info.proto >= 1)) throw new errors.ConnectionError("server does not support 'noEcho'");
  const fields: Partial<ConnectFields> = {
    protocol: 1,
    lang: "typescript",
    version,
    verbose,
    pedantic,
    headers: info.headers === true,
    no_responders: info.headers === true,
  };
  if (encrypted) fields.tls_required = true;
  if (name !== undefined) fields.name = name;
  if (noEcho) fields.echo = false;
  return Object.assign(fields, authenticator(info.nonce), target.server.address.credentials);
}
