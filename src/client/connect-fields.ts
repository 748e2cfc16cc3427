import type { ConnectOptions as ConnectFields } from "../protocol/connect-options.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { type Authenticator, buildAuthenticator, type ConnectionOptions, errors } from "./core.ts";
import type { Settings } from "./options.ts";
import type { UrlCredentials } from "./server-address.ts";

/**
 * The fields of `CONNECT`. Credentials of a server's URL are for that server, and go before those of the options.
 * @throws errors.ConnectionError when the server cannot do what an option asks; whatever the authenticator throws.
 */
export function connectFields(
  info: ServerInfo,
  settings: Settings,
  version: string,
  credentials?: UrlCredentials,
  encrypted?: boolean,
): Partial<ConnectFields> {
  const { name, noEcho, verbose = false, pedantic = false, authenticator, token, user } = settings;
  if (noEcho && !(info.proto >= 1)) throw new errors.ConnectionError("server does not support 'noEcho'");
  const headers = info.headers === true;
  const asks = authenticator || token || user;
  return {
    protocol: 1,
    lang: "typescript",
    version,
    verbose,
    pedantic,
    headers,
    no_responders: headers,
    ...(encrypted && { tls_required: true }),
    ...(name !== undefined && { name }),
    ...(noEcho && { echo: false }),
    ...(asks && (buildAuthenticator(settings as ConnectionOptions) as Authenticator)(info.nonce)),
    ...credentials,
  };
}
