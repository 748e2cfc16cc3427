import { FLAG_RULES, type FlagRule, type Flags } from "./flag-table.ts";

/** What a command line asks for. */
export type CommandLine =
  /** Run (or test the configuration, or send a signal), with these flags. */
  | { readonly kind: "run"; readonly flags: Flags }
  | { readonly kind: "version" | "help" | "helpTls" }
  /** It is wrong in its form: nats-server says what is wrong, shows its help and exits with 0. */
  | { readonly kind: "usage"; readonly problem: string }
  /** It asks for something that is not to be had. */
  | { readonly kind: "refused"; readonly problem: string };

/**
 * Reads a command line by the rules of Go's flag package: `-x` and `--x` are the same, a value follows behind `=` or as the next argument,
 * a switch takes one only behind `=`, `--` or the first word ends the flags.
 *
 * @param args - without the program's name.
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const flags: Record<string, string | number | boolean> = {};
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at];
    if (arg === "--") {
      at += 1;
      break;
    }
    if (arg.length < 2 || arg[0] !== "-") break;
    const body = arg.slice(arg[1] === "-" ? 2 : 1);
    if (body === "" || body[0] === "-" || body[0] === "=") return usage(`bad flag syntax: ${arg}`);
    const equals = body.indexOf("=");
    const name = equals < 0 ? body : body.slice(0, equals);
    let text = equals < 0 ? undefined : body.slice(equals + 1);
    const rule = FLAG_RULES.get(name);
    if (rule === undefined) return usage(`flag provided but not defined: -${name}`);
    if (rule.kind !== "switch" && text === undefined) {
      at += 1;
      if (at >= args.length) return usage(`flag needs an argument: -${name}`);
      text = args[at];
    }
    const value = readValue(rule, name, text);
    if (typeof value === "object") return usage(value.problem);
    flags[rule.key] = value;
  }
  return decide(flags, args.slice(at));
}

function decide(flags: Flags, words: readonly string[]): CommandLine {
  if (flags.version) return { kind: "version" };
  if (flags.help) return { kind: "help" };
  if (flags.helpTls) return { kind: "helpTls" };
  if (words.length > 0) {
    const word = words[0].toLowerCase();
    if (word === "version" || word === "help") return { kind: word };
    return { kind: "refused", problem: `unrecognized command: ${JSON.stringify(words[0])}` };
  }
  for (const rule of FLAG_RULES.values()) {
    // What is switched off, empty or 0 asks for nothing.
    if (rule.refused !== undefined && flags[rule.key as keyof Flags])
      return { kind: "refused", problem: `flag -${rule.names[0]}: ${rule.refused}` };
  }
  return { kind: "run", flags };
}

function usage(problem: string): CommandLine {
  return { kind: "usage", problem };
}

function readValue(
  rule: FlagRule,
  name: string,
  text: string | undefined,
): string | number | boolean | { problem: string } {
  if (rule.kind === "switch") {
    const value = text === undefined ? true : parseSwitch(text);
    return value ?? { problem: `invalid boolean value ${JSON.stringify(text)} for -${name}: parse error` };
  }
  if (rule.kind === "text") return text ?? "";
  const value = parseWhole(text ?? "");
  if (typeof value === "number") return value;
  return { problem: `invalid value ${JSON.stringify(text)} for flag -${name}: ${value}` };
}

/** As Go's `strconv.ParseBool`. */
function parseSwitch(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  return undefined;
}

/** As Go's `strconv.ParseInt` with base 0; what is wrong, if anything is. */
function parseWhole(text: string): number | "parse error" | "value out of range" {
  const match =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0|[1-9]\d*(?:_\d+)*)$/.exec(
      text,
    );
  if (match === null) return "parse error";
  const digits = match[2].replaceAll("_", "");
  const value = Number(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (!Number.isSafeInteger(value)) return "value out of range";
  return match[1] === "-" ? -value : value;
}
