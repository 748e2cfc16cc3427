import process from "node:process";
import { NatsServer } from "../runtime/node/nats-server.ts";
import { NodeLogger } from "../runtime/node/node-logger.ts";
import type { Logger } from "../seams/logger.ts";
import { ServerError } from "../server/errors.ts";
import type { ServerOptions } from "../server/options/types.ts";
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
  const options = optionsOf(flags);
  const logger = openLog(options);
  const starting = NatsServer.start({ ...options, logger });
  handleSignals(starting, logger, process);
  try {
    await starting;
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    // What goes wrong once the server begins to start is in the log.
    throw new CommandError(error.code === "INVALID_OPTION" ? error.message : "");
  }
  if (flags.jetstream) logger.warn("JetStream is not built yet: the server runs without it");
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

function openLog(options: ServerOptions): Logger {
  try {
    return new NodeLogger(options);
  } catch (error) {
    if (error instanceof ServerError) throw new CommandError(error.message);
    throw error;
  }
}
