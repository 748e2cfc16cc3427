import type { ServerOptions, TlsOptions } from "../server/options/types.ts";
import type { ConfigProblem } from "./errors.ts";
import { digestOf } from "./language/digest.ts";
import { type ConfigSource, parseFile } from "./language/parse.ts";
import type { ConfigPlace } from "./language/tree.ts";
import { readServer } from "./read-server.ts";
import { Report } from "./report.ts";

/** A configuration file, and what reading it needs of the outside. */
export interface ConfigFile extends ConfigSource {
  readonly path: string;
  /** The SHA-256 of bytes, in hex. */
  sha256(bytes: Uint8Array): string;
}

/** What a configuration file says. */
export interface Config {
  /**
   * The options, as `NatsServer.start` takes them: only those that the file gives, and `listen`, which by default is every address and port
   * 4222. Others (those of a command line) may be laid over them.
   */
  readonly options: ServerOptions;
  /** What nats-server warns of too: `nats-server -t` calls a file with warnings invalid. */
  readonly warnings: readonly ConfigProblem[];
  /** What the file asks for and this server does not do: the server starts, and should say so. */
  readonly unserved: readonly ConfigProblem[];
  /** `sha256:<hex>`, as nats-server shows it. */
  readonly digest: string;
  /** Where a block of {@link options} is, for what is found wrong with it later. */
  placeOf(block: TlsOptions): ConfigPlace | undefined;
}

/**
 * Reads a configuration file, with the files it includes.
 * @throws ConfigError with all that is wrong: what cannot be read or understood, in nats-server's words, and what this server must not ignore.
 */
export function readConfig(file: ConfigFile): Config {
  const map = parseFile(file.path, file);
  const digest = digestOf(map, (bytes) => file.sha256(bytes));
  const report = new Report();
  if (map.size === 0) {
    report.warnings.push({ place: undefined, text: `${file.path}: config has no values or is empty` });
  }
  const options = readServer(map, report);
  report.throwErrors();
  const { warnings, unserved, blockPlaces } = report;
  return { options, warnings, unserved, digest, placeOf: (block) => blockPlaces.get(block) };
}
