import { ConfigError, type ConfigProblem } from "./errors.ts";
import type { ConfigContent, ConfigPlace } from "./language/tree.ts";

/** Collects what is wrong with a configuration, so that all of it is told at once. */
export class Report {
  readonly errors: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly unserved: ConfigProblem[] = [];
  readonly #refusals: ConfigProblem[] = [];
  /** Where the first user with an nkey is, who is left out. */
  nkeyUser: ConfigPlace | undefined;

  /** Where blocks are, by the options that were read of them: some of what they say is looked at later. */
  readonly blockPlaces = new WeakMap<object, ConfigPlace>();

  /** Returns nothing, which is what a reader gives for a value that is wrong. */
  error(place: ConfigPlace | undefined, text: string): undefined {
    this.errors.push({ place, text });
    return undefined;
  }

  warn(place: ConfigPlace, text: string): void {
    this.warnings.push({ place, text });
  }

  /** A warning about how a key is used, as nats-server words it. */
  misuse(place: ConfigPlace, key: string, reason: string): void {
    this.warn(place, `invalid use of field ${quoted(key)}: ${reason}`);
  }

  /** Something that is asked for and not served. Said once for all places of the file. */
  later(place: ConfigPlace, key: string, note: string): void {
    const text = `${key}: ${note}`;
    if (!this.unserved.some((problem) => problem.text === text)) this.unserved.push({ place, text });
  }

  /** Something that nats-server would do, and without which this server must not start. Told once nothing else is wrong. */
  refuse(place: ConfigPlace | undefined, text: string): void {
    this.#refusals.push({ place, text });
  }

  /** @throws ConfigError when there was an error. */
  throwErrors(): void {
    const errors = this.errors.length > 0 ? this.errors : this.#refusals;
    if (errors.length > 0) throw new ConfigError(errors, this.warnings);
  }
}

const GO_TYPES: Readonly<Record<ConfigContent["kind"], string>> = {
  string: "string",
  bool: "bool",
  integer: "int64",
  float: "float64",
  date: "time.Time",
  array: "[]interface {}",
  map: "map[string]interface {}",
};

/** What nats-server calls the type of a value. */
export function typeOf(content: ConfigContent): string {
  return GO_TYPES[content.kind];
}

/** nats-server's text for a value of the wrong type where it says nothing better. */
export function wrongType(content: ConfigContent, wanted: ConfigContent["kind"]): string {
  return `interface conversion: interface {} is ${typeOf(content)}, not ${GO_TYPES[wanted]}`;
}

/** A value as it is shown within a text. */
export function shown(content: ConfigContent): string {
  if (content.kind === "map") return "map[...]";
  return content.kind === "array" ? "[...]" : String(content.value);
}

/** In quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
