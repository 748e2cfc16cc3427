import process from "node:process";
import { bootProblem } from "../config/boot.ts";
import { ConfigError, type ConfigProblem, showProblem } from "../config/errors.ts";
import { TlsFileError } from "../seams/tls.ts";
import { ServerError } from "../server/errors.ts";
import { readTls } from "../server/listener-tls.ts";
import { mergeOptions } from "../server/options/merge.ts";
import { resolveTls } from "../server/options/resolve-tls.ts";
import type { ServerOptions } from "../server/options/types.ts";
import { CommandServer, type ReadFile } from "./command-server.ts";
import type { Flags } from "./flag-table.ts";
import { COMMAND_DEFAULTS, FlagError, flagOptions } from "./settings.ts";
import { handleSignals } from "./signals.ts";

/** Thrown by {@link run}: a sentence for the user, to be shown without a stack. "" when it is in the log. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * Starts the server that the flags ask for, which then runs until a signal ends it; or checks a configuration file.
 * @returns what is to be shown, when it is done already.
 * @throws CommandError
 */
export async function run(flags: Flags): Promise<string | undefined> {
  const file = flags.config ? await readFile(flags.config) : undefined;
  if (flags.testConfig) return await checked(file);
  if (file !== undefined) await checkTls(file);
  const over = optionsOf(flags, file);
  const starting = CommandServer.run(over, file);
  handleSignals(starting, {
    on: (signal, listener) => process.on(signal, listener),
    exit: (code) => process.exit(code),
    now: () => performance.now(),
  });
  try {
    await starting;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const inLog =
      error.code === "LISTEN_FAILED" || error.code === "STORAGE_FAILED" || error.option === "pidFile";
    throw new CommandError(inLog ? "" : error.message);
  }
  return undefined;
}

/** What `-t` says. A file with warnings is not valid, as with nats-server. */
async function checked(file: ReadFile | undefined): Promise<string> {
  if (file === undefined)
    throw new CommandError("must specify [-c, --config] option to check configuration file syntax");
  const { warnings, digest } = file.config;
  if (warnings.length > 0) throw new CommandError(problemLines(warnings));
  await checkTls(file);
  return `configuration file ${file.path} is valid (${digest})`;
}

/** Reads the files that the TLS of a configuration names: what is wrong with them is wrong with the configuration. @throws CommandError (rejects) */
async function checkTls(file: ReadFile): Promise<void> {
  const { options } = file.config;
  for (const [block, tls] of [
    ["tls", options.tls],
    ["websocket.tls", options.websocket?.tls],
  ] as const) {
    if (tls === undefined) continue;
    const { nodeRuntime } = await import("../runtime/node/runtime.ts");
    const { network } = nodeRuntime();
    try {
      await readTls(network, resolveTls(tls, block), block);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const problem = tlsProblem(file, error);
      throw new CommandError(
        problem === undefined ? `${file.path}: ${error.message}` : problemLines([problem]),
      );
    }
  }
}

/** What nats-server says of a file for TLS that cannot be used, and where the configuration names it; undefined when the error is another one. */
function tlsProblem({ config }: ReadFile, { option, cause }: ServerError): ConfigProblem | undefined {
  if (!(cause instanceof TlsFileError)) return undefined;
  const { tls, websocket } = config.options;
  const block = option === "websocket.tls" ? websocket?.tls : tls;
  return { place: block && config.placeOf(block), text: cause.serverText };
}

/** Flags as options that lie over those of the file. */
function optionsOf(flags: Flags, file: ReadFile | undefined): ServerOptions {
  let over: ServerOptions;
  try {
    over = flagOptions(flags);
  } catch (error) {
    if (error instanceof FlagError) throw new CommandError(error.message);
    throw error;
  }
  if (file === undefined) over = mergeOptions(COMMAND_DEFAULTS, over);
  // The folder alone does not ask for JetStream.
  else if (flags.storeDir && file.config.options.jetstream) over.jetstream ??= { storeDir: flags.storeDir };
  const problem = bootProblem(file === undefined ? over : mergeOptions(file.config.options, over));
  if (problem !== undefined) throw new CommandError(problem);
  return over;
}

async function readFile(path: string): Promise<ReadFile> {
  const { readConfigFile } = await import("../runtime/node/config-file.ts");
  try {
    return { path, config: readConfigFile(path) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What cannot be read at all is one sentence.
    if (error.errors[0].place === undefined) throw new CommandError(error.message);
    throw new CommandError(problemLines([...error.warnings, ...error.errors]));
  }
}

/** Problems, a line each; with an empty line behind, as nats-server prints them. */
function problemLines(problems: readonly ConfigProblem[]): string {
  return `${problems.map(showProblem).join("\n")}\n`;
}
