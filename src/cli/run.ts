import process from "node:process";
import { ServerError } from "../server/errors.ts";
import type { ServerOptions } from "../server/options/types.ts";
import { CommandServer } from "./command-server.ts";
import type { Flags } from "./flag-table.ts";
import { FlagError, flagOptions, overlay } from "./settings.ts";
import { handleSignals } from "./signals.ts";

/** Thrown by {@link run}: a sentence for the user, to be shown without a stack. "" when it is in the log. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * Starts the server that the flags ask for, which then runs until a signal ends it.
 * @throws CommandError
 */
export async function run(flags: Flags): Promise<void> {
  const starting = CommandServer.start(optionsOf(flags)) as Promise<CommandServer>;
  handleSignals(starting, {
    on: (signal, listener) => process.on(signal, listener),
    exit: (code) => process.exit(code),
    now: () => performance.now(),
  });
  let server: CommandServer;
  try {
    server = await starting;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const inLog = error.code === "LISTEN_FAILED" || error.option === "pidFile";
    throw new CommandError(inLog ? "" : error.message);
  }
  if (flags.jetstream) server.say("warn", "JetStream is not built yet: the server runs without it");
}

/** What the file and the flags say together. */
function optionsOf(flags: Flags): ServerOptions {
  if (flags.testConfig && !flags.config)
    throw new CommandError("must specify [-c, --config] option to check configuration file syntax");
  try {
    return overlay({}, flagOptions(flags));
  } catch (error) {
    if (error instanceof FlagError) throw new CommandError(error.message);
    throw error;
  }
}
