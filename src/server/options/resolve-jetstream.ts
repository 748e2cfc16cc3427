import { invalid, textOf, wholeNumberOf } from "./check.ts";
import { type CustomResolvers, resolveBlock } from "./resolve-block.ts";
import type { AccountJetStreamOptions, JetStreamOptions } from "./types.ts";

const RESOLVERS: CustomResolvers = {
  storageSize: (given, path) => wholeNumberOf(given, path, 0, Number.MAX_SAFE_INTEGER),
  sync: resolveSync,
};

/** When files are synced. */
function resolveSync(given: unknown, path: string): "always" | number {
  if (given === "always") return given;
  if (typeof given === "number" && given > 0 && Number.isFinite(given)) return given;
  throw invalid(path, 'must be "always" or a number of ms above 0', given);
}

/** Checks the option `jetstream`. @throws ServerError `INVALID_OPTION`. */
export function resolveJetStream(given: unknown, path: string): boolean | JetStreamOptions {
  if (typeof given === "boolean") return given;
  const options = resolveBlock("jetstream", given, path, RESOLVERS) as JetStreamOptions;
  const { storeDir, domain } = options;
  if (storeDir !== undefined) textOf(storeDir, `${path}.storeDir`, "must be a folder");
  if (domain !== undefined && !/^[^\s.*>]+$/.test(domain)) {
    throw invalid(`${path}.domain`, 'must be a name without spaces, ".", "*" and ">"', domain);
  }
  return options;
}

/** The same of an account. @throws ServerError `INVALID_OPTION`. */
export function resolveAccountJetStream(given: unknown, path: string): boolean | AccountJetStreamOptions {
  if (typeof given === "boolean") return given;
  return resolveBlock("accountJetstream", given, path, RESOLVERS) as AccountJetStreamOptions;
}
