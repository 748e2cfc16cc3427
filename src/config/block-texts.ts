import type { BlockName, Kind } from "../server/options/table/row.ts";
import type { ConfigContent } from "./language/tree.ts";
import { quoted, shown, typeOf, wrongType } from "./report.ts";

/** nats-server's texts, which differ from block to block. */

/** Said of a value that should be a block. */
const NOT_A_BLOCK: Readonly<Partial<Record<BlockName, (content: ConfigContent) => string>>> = {
  permissions: (content) => `Expected permissions to be a map/struct, got ${shown(content)}`,
  responses: () => "error parsing response permissions, expected a boolean or a map",
  account: () => "Expected map entries for accounts",
  accountLimits: (content) => `Expected account limits to be a map/struct, got ${shown(content)}`,
  websocket: (content) => `Expected websocket to be a map, got ${typeOf(content)}`,
  mqtt: (content) => `Expected mqtt to be a map, got ${typeOf(content)}`,
  cluster: (content) => `Expected map to define cluster, got ${typeOf(content)}`,
  gateway: (content) => `Expected gateway to be a map, got ${typeOf(content)}`,
  gatewayRemote: (content) => `Expected gateway entry to be a map/struct, got ${shown(content)}`,
  leafnodes: (content) => `Expected map to define a leafnode, got ${typeOf(content)}`,
  leafUser: (content) => `Expected user entry to be a map/struct, got ${shown(content)}`,
  leafRemote: (content) => `Expected remote leafnode entry to be a map/struct, got ${shown(content)}`,
  leafProxy: (content) => `Expected proxy to be a map, got ${typeOf(content)}`,
  user: (content) => `Expected user entry to be a map/struct, got ${shown(content)}`,
  authCallout: (content) => `Expected authorization callout to be a map/struct, got ${shown(content)}`,
  proxies: (content) => `expected proxies to be a map/struct, got ${typeOf(content)}`,
  trustedProxy: (content) => `expected proxies' trusted entry to be a map/struct, got ${typeOf(content)}`,
  jetstreamLimits: (content) => `Expected a map to define JetStreamLimits, got ${typeOf(content)}`,
  jetstreamTpm: (content) => `Expected a map to define JetStreamLimits, got ${typeOf(content)}`,
  jetstreamBatch: (content) => `Expected a map to define batch limits, got ${typeOf(content)}`,
};

/** Said of a key that a block does not have. */
const UNKNOWN: Readonly<Partial<Record<BlockName, (key: string) => string>>> = {
  tls: (key) => `error parsing tls config, unknown field ${quoted(key)}`,
  permissions: (key) => `Unknown field ${quoted(key)} parsing permissions`,
  responses: (key) => `Unknown field ${quoted(key)} parsing permissions`,
  accountLimits: (key) => `Unknown field ${quoted(key)} parsing account limits`,
  authCallout: (key) => `Unknown field ${quoted(key)} parsing authorization callout`,
};

/** Said of a value that should be a list of blocks. */
const NOT_A_LIST: Readonly<Partial<Record<BlockName, (content: ConfigContent) => string>>> = {
  gatewayRemote: (content) => `Expected gateways field to be an array, got ${typeOf(content)}`,
  leafUser: (content) => `Expected users field to be an array, got ${shown(content)}`,
  trustedProxy: (content) => `expected proxies' trusted field to be an array, got ${typeOf(content)}`,
};

export function notABlock(block: BlockName, content: ConfigContent): string {
  return NOT_A_BLOCK[block]?.(content) ?? wrongType(content, "map");
}

export function notAList(block: BlockName, content: ConfigContent): string {
  return NOT_A_LIST[block]?.(content) ?? wrongType(content, "array");
}

export function unknownField(block: BlockName, key: string): string {
  return UNKNOWN[block]?.(key) ?? `unknown field ${quoted(key)}`;
}

/** Said of a scalar of the wrong type. */
export function wrongScalar(
  block: BlockName,
  key: string,
  wanted: "string" | "bool" | "integer",
  content: ConfigContent,
): string {
  if (block === "tls") {
    if (key === "connection_rate_limit")
      return "error parsing tls config, 'connection_rate_limit' wrong type";
    if (key.startsWith("cert_") && wanted === "string" && key !== "cert_file") {
      return `expected '${key}' to be a valid non-empty string`;
    }
    const what = wanted === "bool" ? "a boolean" : "filename";
    return `error parsing tls config, expected '${key}' to be ${what}`;
  }
  if (block === "accountJetstream") {
    const what = wanted === "bool" ? "bool" : "size";
    return `Expected a parseable ${what} for ${quoted(key)}, got ${shown(content)}`;
  }
  if (block === "jetstream" && key === "strict") {
    return `Expected 'true' or 'false' for bool value, got '${shown(content)}'`;
  }
  if (block === "jetstream" && wanted === "integer") {
    return `Expected a parseable size for ${quoted(key)}, got ${shown(content)}`;
  }
  return wrongType(content, wanted);
}

/** Said of a number that is too small or too large. */
export function outOfRange(
  block: BlockName,
  key: string,
  value: number,
  kind: Kind & { type: "integer" },
): string {
  if (block === "mqtt") return `invalid value ${value}, should in [${kind.min}..${kind.max}] range`;
  if (block === "jetstream") {
    const range = kind.min > 0 ? ` between ${kind.min} and ${kind.max}` : "";
    return `Expected an absolute size for ${quoted(key)}${range}, got ${value}`;
  }
  if (value > kind.max) return `${key} value is too big`;
  return key.startsWith("max_sub")
    ? `${key} value can not be negative`
    : `${key} must be at least ${kind.min}`;
}

/** Said of a word that is none of those there are. */
export function notOneOf(key: string, given: string): string {
  if (key === "cipher") return `Unknown cipher type: ${quoted(given)}`;
  if (key === "cluster_traffic") {
    return `Expected 'system' or 'owner' string value for ${quoted(key)}, got ${given}`;
  }
  return "write_timeout must be 'default', 'close' or 'retry'";
}
