import { invalid, objectOf, textOf, textsOf, wholeNumberOf } from "./check.ts";
import { BLOCKS } from "./table/blocks.ts";
import type { BlockName, CustomForm, Kind, OptionRow } from "./table/row.ts";
import type { ListenOptions } from "./types.ts";

/** Checks a value of a form that the table does not describe. @param path - of the option, such as "accounts.SHOP.users". */
export type CustomResolver = (given: unknown, path: string) => unknown;

/** How values of forms of their own are checked; forms that no option has are left out. */
export type CustomResolvers = Readonly<Partial<Record<CustomForm, CustomResolver>>>;

/**
 * Checks the options of a block against the table, and puts the defaults in. The result has every option of the block that was given or
 * has a default.
 * @throws ServerError `INVALID_OPTION`.
 */
export function resolveBlock(
  name: BlockName,
  given: unknown,
  path: string,
  customs: CustomResolvers,
): Record<string, unknown> {
  const fields = objectOf(given, path === "" ? "options" : path);
  const prefix = path === "" ? "" : `${path}.`;
  const { rows, defaults } = OPTIONS[name];
  const resolved = { ...defaults };
  for (const option of Object.keys(fields)) {
    const row = rows.get(option);
    if (row === undefined) {
      throw invalid(prefix + option, `is not an option; there are ${[...rows.keys()].sort().join(", ")}`);
    }
    const value = fields[option];
    if (value !== undefined) resolved[option] = resolveValue(row.kind, value, prefix + option, customs);
  }
  return resolved;
}

/** The options of a block by name. */
export function optionsOf(name: BlockName): ReadonlyMap<string, OptionRow> {
  return OPTIONS[name].rows;
}

/** What is known of the options of a block: worked out once, as servers may be started often and should start quickly. */
interface BlockOptions {
  readonly rows: ReadonlyMap<string, OptionRow>;
  readonly defaults: Readonly<Record<string, unknown>>;
}

function readBlock(name: BlockName): BlockOptions {
  const rows = new Map<string, OptionRow>();
  const defaults: Record<string, unknown> = {};
  for (const row of BLOCKS[name]) {
    if (row.option === undefined || row.option.includes(".")) continue;
    rows.set(row.option, row);
    if (row.fallback !== undefined) defaults[row.option] = row.fallback;
  }
  return { rows, defaults };
}

const OPTIONS = Object.fromEntries(
  (Object.keys(BLOCKS) as BlockName[]).map((name) => [name, readBlock(name)]),
) as Readonly<Record<BlockName, BlockOptions>>;

function resolveValue(kind: Kind, given: unknown, path: string, customs: CustomResolvers): unknown {
  switch (kind.type) {
    case "integer":
    case "duration":
      return wholeNumberOf(given, path, kind.min, kind.max);
    case "port":
      return wholeNumberOf(given, path, 0, 65_535);
    case "bool":
      if (typeof given !== "boolean") throw invalid(path, "must be true or false", given);
      return given;
    case "string":
      // It may be a secret for all that, so it is not shown.
      if (typeof given !== "string")
        throw invalid(path, `must be a text, not a value of type ${typeof given}`);
      return given;
    case "strings":
      return textsOf(given, path);
    case "oneOf":
      if (!kind.values.includes(given as string)) {
        throw invalid(path, `must be ${kind.values.map((value) => `"${value}"`).join(" or ")}`, given);
      }
      return given;
    case "texts":
      for (const [name, text] of Object.entries(objectOf(given, path))) textOf(text, `${path}.${name}`);
      return given;
    case "listen":
      return resolveListen(given, path, kind.port);
    case "block":
      return resolveBlock(kind.block, given, path, customs);
    case "custom":
      return customs[kind.form]?.(given, path) ?? given;
    default:
      // Blocks in lists or by name are no options: such keys are only read from files.
      return given;
  }
}

/** The host may be left out here: its default depends on other options. */
function resolveListen(given: unknown, path: string, port: number): ListenOptions {
  const fields = objectOf(given, path);
  for (const field of Object.keys(fields)) {
    if (field !== "host" && field !== "port") {
      throw invalid(`${path}.${field}`, "is not an option; there are host, port");
    }
  }
  return {
    host:
      fields.host === undefined
        ? undefined
        : textOf(fields.host, `${path}.host`, "must be an address or a name"),
    port: wholeNumberOf(fields.port ?? port, `${path}.port`, 0, 65_535),
  };
}
