import type { ConfigPlace } from "./language/tree.ts";

/** Something wrong, or to be warned of, in a configuration. */
export interface ConfigProblem {
  /** Where; undefined when it is about no place in particular. */
  readonly place: ConfigPlace | undefined;
  /** What, in nats-server's words where it has any. */
  readonly text: string;
}

/** A configuration file that cannot be used. The message has a line for each warning and each error, as nats-server prints them. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly errors: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];

  constructor(errors: readonly ConfigProblem[], warnings: readonly ConfigProblem[] = []) {
    super([...warnings, ...errors].map(showProblem).join("\n"));
    this.errors = errors;
    this.warnings = warnings;
  }
}

/** The line that nats-server prints for a problem: `file:line:position: text`. */
export function showProblem({ place, text }: ConfigProblem): string {
  return place === undefined ? text : `${place.file}:${place.line}:${place.position}: ${text}`;
}
