import type { ClientLink } from "../seams/dial.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { errors } from "./core.ts";
import { factsOf, type KnownServer } from "./known-server.ts";
import { loadDebugLink } from "./on-demand.ts";
import type { Settings } from "./options.ts";
import { isIpAddress } from "./server-address.ts";

/** Where one attempt goes: a server, at one of its addresses. */
export interface Target {
  readonly server: KnownServer;
  /** Name or address to dial. */
  readonly host: string;
}

/** The addresses that a server's name stands for, each a target; the name itself where it need not be looked up. */
export function targetsOf(
  server: KnownServer,
  settings: Settings,
  runtime: ClientRuntime,
): Target[] | Promise<Target[]> {
  const { hostname, port, scheme } = server;
  const { resolveHost } = runtime;
  const { resolve, dial, debug } = settings;
  // What has no port is no host.
  const asIs = resolve === false || dial !== undefined || port === 0 || scheme.startsWith("ws");
  if (asIs || resolveHost === undefined || isIpAddress(hostname)) return [{ server, host: hostname }];
  return resolveHost(hostname).then((hosts) => {
    if (debug) runtime.print(`resolve ${hostname} = ${hosts.join(",")}`);
    return hosts.map((host) => ({ server, host }));
  });
}

/** Opens a link of bytes. Rejects with errors.ConnectionError when the server refuses it, else with what the platform says. */
export async function dialTarget(
  target: Target,
  settings: Settings,
  runtime: ClientRuntime,
): Promise<ClientLink> {
  try {
    const link = await open(target, settings, runtime);
    if (!settings.debug) return link;
    const { DebugLink } = await loadDebugLink();
    return new DebugLink(link, (line) => runtime.print(line));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ECONNREFUSED") throw error;
    throw new errors.ConnectionError("connection refused", { cause: error });
  }
}

async function open(
  { server, host }: Target,
  { messagePort, dial, tls }: Settings,
  runtime: ClientRuntime,
): Promise<ClientLink> {
  const { scheme, listen, path, port } = server;
  if (messagePort !== undefined)
    return runtime.portLink(typeof messagePort === "function" ? await messagePort() : messagePort);
  if (dial !== undefined) return runtime.duplexLink(await dial(factsOf(server)));
  if (scheme.startsWith("ws")) return runtime.dialWebSocket(`${scheme}://${listen}${path}`, tls ?? undefined);
  if (runtime.dial === undefined) throw new errors.ConnectionError("there is no TCP here");
  return runtime.dial(host, port);
}
