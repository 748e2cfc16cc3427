import type { ServerInfo } from "../protocol/info.ts";
import type { ClientLink } from "../seams/dial.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import type { Attempt } from "./attempt.ts";
import { connectFields } from "./connect-fields.ts";
import { errors } from "./core.ts";
import type { Settings } from "./options.ts";
import { nameOf } from "./server-pool.ts";
import type { ClientSession } from "./session.ts";
import type { Target } from "./target.ts";
import { WireServer } from "./wire-server.ts";

/** Says `CONNECT` and `PING` to a server that has been dialled; the answer ends the attempt. Rejects with why it has not come so far. */
export async function greet(
  dialled: Promise<ClientLink>,
  { server }: Target,
  attempt: Attempt,
  settings: Settings,
  runtime: ClientRuntime,
  client: ClientSession,
): Promise<void> {
  const { tls } = settings;
  const link = await attempt.unlessFailed(dialled, (late) => late?.destroy());
  const wire = new WireServer(link, client, runtime, settings);
  client.take(wire);
  const secure = (): Promise<void> =>
    attempt.unlessFailed(wire.secure(tls ?? {}, hasNoAddress(settings) ? "" : nameOf(server)));
  if (tls?.handshakeFirst && link.secure !== undefined && !wire.encrypted) await secure();
  const introduced = new Promise<ServerInfo>((resolve) => {
    attempt.introduced = resolve;
  });
  wire.start();
  const info = await attempt.unlessFailed(introduced);
  if (wantsTls(info, settings, server.scheme, wire.encrypted)) await secure();
  wire.connect(connectFields(info, settings, runtime.version, server.credentials, wire.encrypted));
  attempt.asked = true;
  wire.ping();
}

/** Whether there is no server's address or name: it is only reached by a port. */
function hasNoAddress({ messagePort }: Settings): boolean {
  return messagePort !== undefined;
}

/**
 * Whether the link is to be changed to TLS, now that the server has introduced itself.
 * @throws errors.ConnectionError when client and server do not agree.
 */
function wantsTls(info: ServerInfo, settings: Settings, scheme: string, encrypted: boolean): boolean {
  const { tls } = settings;
  if (hasNoAddress(settings) || scheme.startsWith("ws") || encrypted) return false;
  const offered = info.tls_required === true || info.tls_available === true;
  if ((tls || scheme === "tls") && !offered)
    throw new errors.ConnectionError("server does not support 'tls'");
  if (tls === null && info.tls_required) {
    throw new errors.ConnectionError("server requires 'tls', which option 'tls' (null) forbids");
  }
  return tls !== null && offered;
}
