import { showDuration } from "../protocol/durations.ts";
import type { Logger } from "../seams/logger.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import { SERVER } from "./options/table/server.ts";
import type { ServerOptions } from "./options/types.ts";

/** What log lines call options whose value is no word or number, or is a secret (nats-server reload.go). */
const NAMES: Partial<Record<keyof ServerOptions, string>> = {
  authorization: "authorization users",
  accounts: "accounts",
  mappings: "accounts",
  serverTags: "tags",
  serverMetadata: "metadata",
  websocket: "websocket tls",
  jetstream: "jetstream",
};

/** Logs what a reload has changed, in nats-server's words. */
export function logReload(
  log: Logger,
  changed: readonly (keyof ServerOptions)[],
  options: ResolvedServerOptions,
): void {
  for (const name of new Set(changed)) log.notice(line(name, options));
}

function line(name: keyof ServerOptions, options: ResolvedServerOptions): string {
  const special = NAMES[name];
  if (special !== undefined) return `Reloaded: ${special}`;
  if (name === "tls") return `Reloaded: tls = ${options.tls === undefined ? "disabled" : "enabled"}`;
  if (name === "noFastProducerStall") {
    return `Reloaded: fast producers will ${options.noFastProducerStall ? "not " : ""}be stalled`;
  }
  const row = SERVER.find(({ option }) => option === name);
  const value = (options as ServerOptions)[name];
  const shown = row?.kind.type === "duration" ? showDuration(value as number) : String(value ?? "");
  return `Reloaded: ${row?.keys[0] ?? name} = ${shown}`;
}
