import { NatsServer } from "../runtime/node/nats-server.ts";
import { NodeLogger } from "../runtime/node/node-logger.ts";
import type { ResolvedServerOptions } from "../server/options/resolve.ts";

/** The server of the command: it logs to stderr where it is given no file. */
export class CommandServer extends NatsServer {
  protected override openLog(options: ResolvedServerOptions): NodeLogger {
    return new NodeLogger(options);
  }

  /** Logs a line. */
  say(level: "notice" | "warn" | "error", text: string): void {
    this.log[level](text);
  }
}
