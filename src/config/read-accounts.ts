import { isLiteralSubject, isValidSubject } from "../protocol/subject.ts";
import { ServerError } from "../server/errors.ts";
import { resolveMappings } from "../server/options/mappings.ts";
import type { AccountOptions, MappingDestination, Mappings } from "../server/options/types.ts";
import type { ConfigContent, ConfigValue } from "./language/tree.ts";
import { isPublicKey } from "./nkeys.ts";
import { type BlockReader, type CustomReader, optionsIn } from "./read-block.ts";
import { quoted, type Report, shown, typeOf, wrongType } from "./report.ts";

/** Names of accounts, or accounts by name. */
export const accounts =
  (reader: BlockReader): CustomReader =>
  (value) => {
    const { content } = value;
    if (content.kind === "array") return Object.fromEntries(accountNames(reader.report, content.value));
    if (content.kind !== "map") return undefined;
    const read: [string, AccountOptions][] = [];
    for (const [name, each] of content.value) {
      if (each.isVariable) continue;
      if (each.content.kind === "map" && name === "$G") {
        reader.report.error(each, `${quoted(name)} is a Reserved Account`);
        continue;
      }
      const account = reader.block("account", each);
      if (account !== undefined) read.push([name, optionsIn("account", account)]);
    }
    return Object.fromEntries(read);
  };

function accountNames(report: Report, names: readonly ConfigValue[]): [string, AccountOptions][] {
  const seen = new Set<string>();
  for (const each of names) {
    const { content } = each;
    if (content.kind !== "string") report.error(each, wrongType(content, "string"));
    else if (content.value === "$G") report.error(each, `${quoted(content.value)} is a Reserved Account`);
    else if (seen.has(content.value)) report.error(each, `Duplicate Account Entry: ${content.value}`);
    else seen.add(content.value);
  }
  return [...seen].map((name) => [name, {}]);
}

export const accountNkey =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind === "string" && isPublicKey(content.value, "A")) return content.value;
    return report.error(value, `Not a valid public nkey for an account: ${quoted(shown(content))}`);
  };

/** Where subjects are mapped to: a subject, a destination with a weight, or several. */
export const mappings =
  (): CustomReader =>
  (value, { report }) => {
    const { content } = value;
    if (content.kind !== "map") {
      return report.error(value, wrongType(content, "map"));
    }
    const read: [string, Mappings[string]][] = [];
    for (const [subject, each] of content.value) {
      if (!isValidSubject(subject) || /[\t\n\f\r ]/.test(subject)) {
        report.error(value, `Subject ${quoted(subject)} is not a valid subject`);
        continue;
      }
      const to = mapping(each, report);
      if (to === undefined) continue;
      const reason = whyNot(subject, to);
      const where = typeof to === "string" ? `${quoted(subject)} to ${quoted(to)}` : quoted(subject);
      if (reason === undefined) read.push([subject, to]);
      else report.error(each, `Error adding mapping for ${where} : ${reason}`);
    }
    return Object.fromEntries(read);
  };

/** What the server would say of a mapping. */
function whyNot(subject: string, to: Mappings[string]): string | undefined {
  try {
    resolveMappings({ [subject]: to }, "mappings");
    return undefined;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

function mapping(value: ConfigValue, report: Report): Mappings[string] | undefined {
  const { content } = value;
  if (content.kind === "string") return content.value;
  if (content.kind !== "array") return destination(value, report);
  const destinations = content.value.map((each) => destination(each, report));
  return destinations.includes(undefined) ? undefined : (destinations as MappingDestination[]);
}

function destination(value: ConfigValue, report: Report): MappingDestination | undefined {
  if (value.content.kind !== "map") {
    return report.error(value, "Expected an entry for the mapping destination");
  }
  const read: Partial<MappingDestination> = {};
  for (const [key, each] of value.content.value) {
    const { content } = each;
    const name = key.toLowerCase();
    if (name === "weight") {
      const weight = percent(content);
      if (typeof weight === "number") read.weight = weight;
      else return report.error(each, weight);
    } else if (name === "dest" || name === "destination" || name === "cluster") {
      if (content.kind !== "string") return report.error(each, wrongType(content, "string"));
      read[name === "cluster" ? "cluster" : "destination"] = content.value;
    } else return report.error(each, `Unknown field ${quoted(key)} for mapping destination`);
  }
  const { destination: to = "", weight } = read;
  if (weight === undefined)
    return report.error(value, `Missing weight for mapping destination ${quoted(to)}`);
  return { ...read, destination: to, weight };
}

/** A weight, or what is wrong with it. */
function percent(content: ConfigContent): number | string {
  let weight: number;
  if (content.kind === "integer") weight = Number(content.value);
  else if (content.kind === "string") {
    const digits = content.value.replace(/%$/, "");
    if (!/^[+-]?[0-9]+$/.test(digits)) return `Invalid weight ${quoted(digits)} for mapping destination`;
    weight = Number(digits);
  } else return `Unknown entry type for weight of ${shown(content)}`;
  return weight >= 0 && weight <= 100 ? weight : `Invalid weight ${weight} for mapping destination`;
}

/** Where an account's messages are traced to: a subject, or `{ dest, sampling }`. */
export const msgTrace =
  (): CustomReader =>
  (value, { report, key: topKey }) => {
    const { content } = value;
    if (content.kind !== "map") {
      if (content.kind === "string") return traceDest(value, topKey, report);
      const type = typeOf(content);
      return report.error(
        value,
        `Expected account message trace ${quoted(topKey)} to be a string or a map/struct, got ${type}`,
      );
    }
    let trace: AccountOptions["msgTrace"];
    let sampling: number | undefined;
    for (const [key, each] of content.value) {
      const name = key.toLowerCase();
      if (name === "dest") trace = traceDest(each, key, report);
      else if (name === "sampling") sampling = traceSampling(each, report);
      else if (!each.isVariable) {
        report.error(
          each,
          `Unknown field ${quoted(key)} parsing account message trace map/struct ${quoted(topKey)}`,
        );
      }
    }
    if (trace !== undefined) return { ...trace, sampling: sampling ?? 100 };
    if (sampling !== undefined) {
      report.warn(value, "Trace destination sampling ignored since no destination was set");
    }
    return undefined;
  };

function traceDest(value: ConfigValue, key: string, report: Report): AccountOptions["msgTrace"] {
  const { content } = value;
  if (content.kind !== "string") {
    return report.error(value, `Field ${quoted(key)} should be a string, got ${typeOf(content)}`);
  }
  if (isLiteralSubject(content.value)) return { dest: content.value, sampling: 100 };
  return report.error(value, `Trace destination ${quoted(content.value)} is not valid`);
}

function traceSampling(value: ConfigValue, report: Report): number | undefined {
  const { content } = value;
  const text = content.kind === "string" ? content.value.replace(/%$/, "") : "";
  if (content.kind === "string" && !/^[+-]?[0-9]+$/.test(text)) {
    return report.error(value, `Invalid trace destination sampling value ${quoted(content.value)}`);
  }
  if (content.kind !== "string" && content.kind !== "integer") {
    const type = typeOf(content);
    return report.error(
      value,
      `Trace destination sampling field "sampling" should be an integer or a percentage, got ${type}`,
    );
  }
  const sampling = Number(content.kind === "string" ? text : content.value);
  if (sampling > 0 && sampling <= 100) return sampling;
  return report.error(
    value,
    `Ttrace destination sampling value ${sampling} is invalid, needs to be [1..100]`,
  );
}
