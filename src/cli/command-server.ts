import type { Config } from "../config/read-config.ts";
import { NatsServer } from "../runtime/node/nats-server.ts";
import { NodeLogger } from "../runtime/node/node-logger.ts";
import { nodeRuntime } from "../runtime/node/runtime.ts";
import { checkedSettings } from "../server/checked-settings.ts";
import { mergeOptions } from "../server/options/merge.ts";
import type { ResolvedServerOptions } from "../server/options/resolve.ts";
import type { ServerOptions } from "../server/options/types.ts";

/** A configuration file that was read. */
export interface ReadFile {
  readonly path: string;
  readonly config: Config;
}

/** The server of the command: it logs to stderr where it is given no file. */
export class CommandServer extends NatsServer {
  protected override openLog(options: ResolvedServerOptions): NodeLogger {
    return new NodeLogger(options);
  }

  protected override get keepsFiles(): boolean {
    return true;
  }

  /**
   * Starts one with options, and with the file that they come from in part, if there is one.
   * @throws ServerError, as `NatsServer.start` does.
   */
  static async run(flags: ServerOptions, file: ReadFile | undefined): Promise<CommandServer> {
    const options = file === undefined ? flags : mergeOptions(file.config.options, flags);
    const server = new CommandServer(checkedSettings(options), nodeRuntime());
    if (file === undefined) await server.open();
    else await server.openConfigured(file.path, file.config, flags);
    return server;
  }

  /** Logs a line. */
  say(level: "notice" | "warn" | "error", text: string): void {
    this.log[level](text);
  }
}
