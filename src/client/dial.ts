import type { ClientLink } from "../seams/dial.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { errors } from "./core.ts";
import { DebugLink } from "./debug-link.ts";
import type { Settings } from "./options.ts";
import { isIpAddress, webSocketUrl } from "./server-address.ts";
import { nameOf, type PooledServer } from "./server-pool.ts";

/** Where one attempt goes: a server, at one of its addresses. */
export interface Target {
  readonly server: PooledServer;
  /** Name or address to dial. */
  readonly host: string;
  /** The name for its certificate; "" when it is known by its address alone. */
  readonly tlsName: string;
}

/** The addresses that a server's name stands for, each a target; the name itself where it need not be looked up. */
export function targetsOf(
  server: PooledServer,
  settings: Settings,
  runtime: ClientRuntime,
): Target[] | Promise<Target[]> {
  const { hostname, address } = server;
  const hasAddress = settings.way.kind === "network" || settings.way.kind === "dial";
  const named: Target = { server, host: hostname, tlsName: hasAddress ? nameOf(server) : "" };
  const { resolveHost } = runtime;
  const looked = settings.way.kind === "network" && settings.resolve && !address.scheme.startsWith("ws");
  if (!looked || resolveHost === undefined || isIpAddress(hostname)) return [named];
  return resolveHost(hostname).then((hosts) => {
    if (settings.debug) runtime.print(`resolve ${hostname} = ${hosts.join(",")}`);
    return hosts.map((host) => ({ ...named, host }));
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
    return settings.debug ? new DebugLink(link, (line) => runtime.print(line)) : link;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ECONNREFUSED") throw error;
    throw new errors.ConnectionError("connection refused", { cause: error });
  }
}

async function open(
  { server, host }: Target,
  { way, tls }: Settings,
  runtime: ClientRuntime,
): Promise<ClientLink> {
  switch (way.kind) {
    case "port":
      return runtime.portLink(typeof way.port === "function" ? await way.port() : way.port);
    case "dial": {
      const { address: _, ...facts } = server;
      return runtime.duplexLink(await way.dial(facts));
    }
    case "network":
      if (server.address.scheme.startsWith("ws")) {
        return runtime.dialWebSocket(webSocketUrl(server.address), tls ?? undefined);
      }
      if (runtime.dial === undefined) throw new errors.ConnectionError("there is no TCP here");
      return runtime.dial(host, server.port);
    default:
      throw new errors.ConnectionError("a server in this program is not dialled");
  }
}
