import type { ConnectOptions as ConnectFields } from "../protocol/connect-options.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { Slab } from "../protocol/slab.ts";
import type { VerbLinkClient, VerbLinkServer } from "../seams/link.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import type { Attempt } from "./attempt.ts";
import { errors } from "./core.ts";
import { dialTarget, type Target } from "./dial.ts";
import type { Settings } from "./options.ts";
import { type WireClient, WireServer } from "./wire-server.ts";

/** Who greets: the client's end of links. */
export interface Greeter extends VerbLinkClient, WireClient {
  readonly slab: Slab;
  /** This is the link now. */
  take(link: VerbLinkServer): void;
}

/** Opens a link and says `CONNECT` and `PING`; the answer ends the attempt. Rejects with why it has not come so far. */
export async function greet(
  target: Target,
  attempt: Attempt,
  settings: Settings,
  runtime: ClientRuntime,
  client: Greeter,
): Promise<void> {
  const { way, tls } = settings;
  const { version, tasks, clock } = runtime;
  if (way.kind === "in-process") {
    const link = way.server.inProcessConn().open(client);
    client.take(link);
    const info = await attempt.introduced.promise;
    link.connect(connectFields(info, settings, target, version, false));
    link.ping();
    return;
  }
  const link = await attempt.unlessFailed(dialTarget(target, settings, runtime), (late) => late.destroy());
  const wire = new WireServer(link, client, client.slab, tasks, clock);
  client.take(wire);
  const secure = (): Promise<void> => attempt.unlessFailed(wire.secure(tls ?? {}, target.tlsName), () => {});
  if (tls?.handshakeFirst && link.secure !== undefined && !wire.encrypted) await secure();
  wire.start();
  const info = await attempt.introduced.promise;
  if (wantsTls(info, settings, target, wire.encrypted)) await secure();
  wire.connect(connectFields(info, settings, target, version, wire.encrypted));
  wire.ping();
}

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
