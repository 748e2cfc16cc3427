import { GLOBAL_ACCOUNT } from "../../broker/account.ts";
import { Mapping, type MappingRule, type WeightedDestination } from "../../broker/mappings.ts";
import { isValidSource, TransformError } from "../../interest/subject-transform.ts";
import { quote } from "../../protocol/faults.ts";
import { ServerError } from "../errors.ts";
import type { ServerOptions } from "./types.ts";

/** The mappings made to check them are not used: nothing is drawn. */
const NO_RANDOM = { fraction: () => 0 };

const FIELDS = new Set(["destination", "weight", "cluster"]);

/**
 * The mappings of each account that has any, by the account's name: those at the top are of the account that clients are in who name none.
 * @throws ServerError `INVALID_OPTION`.
 */
export function resolveAllMappings(options: ServerOptions): ReadonlyMap<string, readonly MappingRule[]> {
  const all = new Map<string, readonly MappingRule[]>();
  const add = (account: string, given: unknown, option: string): void => {
    const rules = resolveMappings(given, option);
    if (rules !== undefined) all.set(account, rules);
  };
  add(GLOBAL_ACCOUNT, options.mappings, "mappings");
  for (const [name, account] of Object.entries(options.accounts ?? {})) {
    add(name, account?.mappings, `accounts.${name}.mappings`);
  }
  return all;
}

/**
 * Checks subject mappings and brings them to one form; undefined when there are none.
 * @param given - the option as it was given: {@link import("./types.ts").Mappings}, if it is right.
 * @param option - its name, such as "mappings" or "accounts.SHOP.mappings".
 * @throws ServerError `INVALID_OPTION`, with nats-server's text where it has one.
 */
export function resolveMappings(given: unknown, option: string): MappingRule[] | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid(option, "must be an object of subjects and where they go");
  }
  const mappings = Object.entries(given).map(([source, to]) =>
    resolveMapping(source, to, `${option}[${JSON.stringify(source)}]`),
  );
  return mappings.length === 0 ? undefined : mappings;
}

function resolveMapping(source: string, to: unknown, option: string): MappingRule {
  const name = quote(source);
  if (!isValidSource(source)) throw invalid(option, `Subject ${name} is not a valid subject`);
  const single = typeof to === "string";
  const destinations = single
    ? [{ destination: to, weight: 100 }]
    : Array.isArray(to)
      ? to.map((each, i) => resolveDestination(each, `${option}[${i}]`))
      : [resolveDestination(to, option)];
  try {
    new Mapping({ source, destinations }, NO_RANDOM);
    return { source, destinations };
  } catch (cause) {
    if (!(cause instanceof TransformError)) throw cause;
    const where = single ? `${name} to ${quote(to)}` : name;
    throw invalid(option, `Error adding mapping for ${where} : ${cause.message}`, cause);
  }
}

function resolveDestination(given: unknown, option: string): WeightedDestination {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid(option, "must be a subject, or an object with destination and weight");
  }
  for (const field of Object.keys(given)) {
    if (!FIELDS.has(field))
      throw invalid(`${option}.${field}`, `is not an option; there are ${[...FIELDS].join(", ")}`);
  }
  const { destination, weight, cluster } = given as Record<string, unknown>;
  if (typeof destination !== "string") throw invalid(`${option}.destination`, "must be a subject");
  if (weight === undefined) {
    throw invalid(`${option}.weight`, `Missing weight for mapping destination ${quote(destination)}`);
  }
  if (typeof weight !== "number" || !Number.isInteger(weight) || weight < 0 || weight > 100) {
    throw invalid(`${option}.weight`, `Invalid weight ${String(weight)} for mapping destination`);
  }
  if (cluster === undefined) return { destination, weight };
  if (typeof cluster !== "string") throw invalid(`${option}.cluster`, "must be a name");
  return { destination, weight, cluster };
}

function invalid(option: string, reason: string, cause?: unknown): ServerError {
  return new ServerError("INVALID_OPTION", `option "${option}": ${reason}`, { option, cause });
}
