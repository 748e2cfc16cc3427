import { DurationError, parseDuration } from "../protocol/durations.ts";
import type { ConfigValue } from "./language/tree.ts";
import { isPublicKey, isUserSeed } from "./nkeys.ts";
import {
  type BlockReader,
  type BlockRecord,
  type CustomReader,
  type Finishers,
  optionsIn,
  placeIn,
} from "./read-block.ts";
import { readStrings } from "./read-kind.ts";
import { quoted, type Report, shown, typeOf, wrongType } from "./report.ts";

/** Forms of keys that are checked and not served: leaf nodes, clusters, JetStream, operators, OCSP. */

export const systemAccount =
  (): CustomReader =>
  (value, { report }) => {
    if (value.content.kind !== "string") {
      return report.error(value, "system account name must be a string");
    }
    return value.content.value === "" ? undefined : value.content.value;
  };

export const featureFlags =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind !== "map") {
      return report.error(value, `error parsing feature flags: unsupported type ${typeOf(content)}`);
    }
    for (const [name, each] of content.value) {
      if (each.content.kind === "bool") continue;
      const type = typeOf(each.content);
      return report.error(each, `error parsing feature flag ${quoted(name)}: expected bool, got ${type}`);
    }
    return true;
  };

/** Routes of a cluster, URLs of a gateway. */
export const urls =
  (): CustomReader =>
  (value, { report, row }) => {
    if (value.content.kind !== "array") return report.error(value, wrongType(value.content, "array"));
    return readUrls(value.content.value, row.keys[0] === "routes" ? "route" : "gateway", report);
  };

function readUrls(list: readonly ConfigValue[], what: string, report: Report): string[] {
  const seen = new Set<string>();
  for (const each of list) {
    const { content } = each;
    if (content.kind !== "string") report.error(each, wrongType(content, "string"));
    else if (seen.has(content.value)) {
      report.misuse(each, content.value, `Duplicate ${what} entry detected`);
    } else {
      checkUrl(each, content.value, what, report);
      seen.add(content.value);
    }
  }
  return [...seen];
}

function checkUrl(place: ConfigValue, text: string, what: string, report: Report): void {
  const trimmed = text.trim();
  // What Go's url.Parse refuses: control characters, no scheme before the colon, a port that is no number, a bad escape.
  const bad =
    /[\u0000-\u001f\u007f]/.test(trimmed) ||
    trimmed.startsWith(":") ||
    /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]*[^\]/?#:]:[^0-9/?#@][^/?#@]*(?:[/?#]|$)/.test(trimmed) ||
    /%(?![0-9a-fA-F]{2})/.test(trimmed);
  if (bad) report.error(place, `error parsing ${what} url [${quoted(trimmed)}]`);
}

/** A URL or a list of them. */
export const url =
  (): CustomReader =>
  (value, { report, block }) => {
    const { content } = value;
    const what = block === "leafRemote" ? "leafnode" : "gateway";
    if (content.kind === "array" && block === "leafRemote") return readUrls(content.value, what, report);
    if (content.kind !== "string") {
      const text = `Expected remote leafnode url to be an array or string, got ${shown(content)}`;
      return report.error(value, block === "leafRemote" ? text : wrongType(content, "string"));
    }
    checkUrl(value, content.value, what, report);
    return [content.value];
  };

export const compression =
  (): CustomReader =>
  (value, { report, key }) => {
    const { content } = value;
    if (content.kind === "bool" || content.kind === "string") return true;
    if (content.kind !== "map") {
      const type = typeOf(content);
      return report.error(value, `field ${quoted(key)} should be a boolean or a structure, got ${type}`);
    }
    for (const [name, each] of content.value) {
      if (name.toLowerCase() === "mode") {
        if (each.content.kind !== "string") report.error(each, wrongType(each.content, "string"));
      } else if (/^(rtt_thresholds|thresholds|rtts|rtt)$/i.test(name)) {
        if (each.content.kind !== "array") report.error(each, wrongType(each.content, "array"));
        else for (const time of each.content.value) readSpan(time, "", report);
      } else if (!each.isVariable) report.error(each, `unknown field ${quoted(name)}`);
    }
    return true;
  };

/** The ms of a duration. */
function readSpan(value: ConfigValue, before: string, report: Report): number | undefined {
  if (value.content.kind !== "string") return report.error(value, wrongType(value.content, "string"));
  try {
    return parseDuration(value.content.value);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    return report.error(value, `${before}${error.message}`);
  }
}

/** The servers that leaf nodes connect to. */
export const remotes =
  (reader: BlockReader): CustomReader =>
  (value) => {
    if (value.content.kind !== "array") {
      const type = typeOf(value.content);
      return reader.report.error(value, `Expected remotes field to be an array, got ${type}`);
    }
    for (const each of value.content.value) reader.block("leafRemote", each);
    return value.content.value;
  };

export const migrate =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind === "bool" || content.kind === "map") return true;
    const type = typeOf(content);
    return report.error(value, `Expected boolean or map for jetstream_cluster_migrate, got ${type}`);
  };

/** `jetstream`: true, "enabled", or a block, which is what it gives; false when it is off. */
export const jetstream =
  (reader: BlockReader): CustomReader =>
  (value) => {
    const { content } = value;
    if (content.kind === "map") {
      const record = reader.map("jetstream", content.value);
      return record.enabled === false ? false : jetstreamOptions(record);
    }
    return enabled(value, reader.report);
  };

/** Without what is empty, which in a file is the same as nothing. */
function jetstreamOptions(record: BlockRecord): BlockRecord {
  const options = optionsIn("jetstream", record);
  for (const name of ["storeDir", "domain"]) if (options[name] === "") delete options[name];
  return options;
}

/** The same of an account. */
export const accountJetstream =
  (reader: BlockReader): CustomReader =>
  (value) => {
    const { content } = value;
    if (content.kind !== "map") return enabled(value, reader.report);
    return optionsIn("accountJetstream", reader.map("accountJetstream", content.value));
  };

function enabled(value: ConfigValue, report: Report): boolean | undefined {
  const { content } = value;
  if (content.kind === "bool") return content.value;
  if (content.kind !== "string") {
    return report.error(value, `Expected map, bool or string to define JetStream, got ${typeOf(content)}`);
  }
  if (/^enabled?$/i.test(content.value)) return true;
  if (/^disabled?$/i.test(content.value)) return false;
  return report.error(value, `Expected 'enabled' or 'disabled' for string value, got '${content.value}'`);
}

/** A number of bytes, or a text such as "10G". */
export const storageSize =
  (): CustomReader =>
  (value, { report, key, row }) => {
    const { content } = value;
    const name = /^max_(memory|file)_store$/.test(row.keys[0]) ? row.keys[0].replace("memory", "mem") : key;
    if (content.kind === "integer") return sizeOf(Number(content.value));
    if (content.kind === "string" && content.value === "") return sizeOf(0);
    if (content.kind !== "string") return report.error(value, `${name} must be int64 or string`);
    const number = content.value.slice(0, -1);
    if (!/^[+-]?[0-9]+$/.test(number)) {
      const reason = `strconv.ParseInt: parsing ${quoted(number)}: invalid syntax`;
      return report.error(value, `${name} ${reason}`);
    }
    const unit = UNITS[content.value.slice(-1)];
    if (unit !== undefined) return sizeOf(Number(number) * unit);
    return report.error(value, `${name} sizes defined as strings must end in K, M, G, T`);
  };

const UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A size below 0 leaves the limit to the server. */
function sizeOf(bytes: number): number | undefined {
  return bytes < 0 ? undefined : bytes;
}

/** `sync_interval`: a duration, or "always". */
export const sync =
  (): CustomReader =>
  (value, { report, key }) => {
    const { content } = value;
    if (content.kind === "integer") {
      report.misuse(value, key, `${key} should be converted to a duration`);
      return Number(content.value) * 1_000;
    }
    if (content.kind !== "string") return report.error(value, wrongType(content, "integer"));
    if (content.value.toLowerCase() === "always") return "always";
    return readSpan(value, `error parsing ${key}: `, report);
  };

export const operators = (): CustomReader => (value, reading) => readStrings(value, reading, "operators");

export const resolver =
  (): CustomReader =>
  (value, { report }) => {
    const { kind } = value.content;
    if (kind === "string" || kind === "map") return true;
    const type = typeOf(value.content);
    return report.error(value, `error parsing operator resolver, wrong type ${type}`);
  };

export const preload =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind !== "map") {
      return report.error(value, "preload should be a map of account_public_key:account_jwt");
    }
    for (const each of content.value.values()) {
      if (each.content.kind !== "string") report.error(each, "preload map value should be a string JWT");
    }
    return true;
  };

const OCSP_MODES = new Set(["auto", "always", "must", "never"]);

/** The mode of stapling. */
export const ocsp =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind === "bool") return content.value ? "auto" : "never";
    if (content.kind !== "map") {
      return report.error(value, `error parsing ocsp config: unsupported type ${typeOf(content)}`);
    }
    let mode = "auto";
    for (const [key, each] of content.value) {
      if (key === "mode") {
        mode = each.content.kind === "string" ? each.content.value.toLowerCase() : "";
        if (!OCSP_MODES.has(mode)) {
          return report.error(each, "error parsing ocsp config: unsupported ocsp mode string");
        }
      } else if (key !== "url" && key !== "urls") {
        return report.error(each, "error parsing ocsp config: unsupported field string");
      }
    }
    return mode;
  };

/** Checks what must hold among the keys of blocks that are not served. */
export const UNSERVED_FINISHERS: Finishers = {
  cluster({ name }, block, report) {
    if (hasSpace(name)) report.error(placeIn(block, "name"), "cluster name cannot contain spaces");
  },
  gateway({ name }, block, report) {
    if (hasSpace(name)) report.error(placeIn(block, "name"), "gateway name cannot contain spaces");
  },
  clusterAuthorization({ users, token, auth_callout: callout }, place, report) {
    if (users !== undefined) report.error(place, "Cluster authorization does not allow multiple users");
    else if (token) report.error(place, "Cluster authorization does not support tokens");
    else if (callout) report.error(place, "Cluster authorization does not support callouts");
  },
  leafAuthorization({ user, nkey, users = [] }, place, report) {
    if (nkey && !isPublicKey(nkey as string, "U")) {
      report.error(placeIn(place, "nkey"), "Not a valid public nkey for leafnode authorization");
    }
    const list = users as BlockRecord[];
    if (list.length === 0) return;
    if (user) report.error(place, "can not have a single user/pass and a users array");
    else if (nkey) report.error(place, "can not have a single nkey and a users array");
    const names = list.map((each) => String(each.user ?? ""));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) {
      report.error(place, `duplicate user ${quoted(twice)} detected in leafnode authorization`);
    }
  },
  leafRemote({ creds, nkey }, place, report) {
    if (nkey && !isUserSeed(nkey as string)) {
      report.error(
        placeIn(place, "nkey", "seed"),
        `Remote leafnode nkey is not a valid seed: ${quoted(nkey as string)}`,
      );
    } else if (nkey && creds) {
      report.error(place, "Remote leafnode can not have both creds and nkey defined");
    }
  },
  leafProxy({ url: given, username, password }, place, report) {
    if (!given) return;
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(given as string)?.[1] ?? "";
    if (scheme !== "http" && scheme !== "https") {
      report.error(place, `proxy URL scheme must be http or https, got: ${scheme}`);
    } else if (!/^https?:\/\/[^/?#]/.test(given as string)) {
      report.error(place, "proxy URL must specify a host");
    } else if (!username !== !password) {
      report.error(place, "proxy username and password must both be specified or both be empty");
    }
  },
  authCallout({ issuer, auth_users: users, xkey }, place, report) {
    if (!issuer) report.error(place, "Authorization callouts require an issuer to be specified");
    else if (!isPublicKey(issuer as string, "A")) {
      const text = `Expected callout user to be a valid public account nkey, got ${quoted(issuer as string)}`;
      report.error(placeIn(place, "issuer"), text);
    } else if (((users ?? []) as string[]).length === 0) {
      report.error(place, "Authorization callouts require authorized users to be specified");
    } else if (xkey && !isPublicKey(xkey as string, "X")) {
      report.error(place, `Expected callout xkey to be a valid public xkey, got ${quoted(xkey as string)}`);
    }
  },
  trustedProxy({ key }, place, report) {
    if (key && !isPublicKey(key as string, "")) {
      report.error(placeIn(place, "key", "public_key"), `invalid proxy key ${quoted(key as string)}`);
    }
  },
};

function hasSpace(name: unknown): boolean {
  return typeof name === "string" && name.includes(" ");
}
