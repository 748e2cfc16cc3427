import { tmpdir } from "node:os";
import { showProblem } from "../../config/errors.ts";
import type { Config } from "../../config/read-config.ts";
import { SILENT } from "../../seams/logger.ts";
import { ServerError } from "../../server/errors.ts";
import { mergeOptions } from "../../server/options/merge.ts";
import type { ResolvedServerOptions } from "../../server/options/resolve.ts";
import type { JetStreamOptions, ServerOptions } from "../../server/options/types.ts";
import { Server } from "../../server/server.ts";
import { settingsOf } from "../../server/settings.ts";
import type { ConfigFacts } from "../../server/start-lines.ts";
import type { NodeLogger } from "./node-logger.ts";
import type { PortsFile } from "./ports-file.ts";
import { nodeRuntime } from "./runtime.ts";

/**
 * A NATS server in this program, on Node. It has no global state, installs no signal handlers, prints nothing, and never
 * ends the process.
 */
export class NatsServer extends Server {
  /**
   * Starts a server; resolves when it is ready. Without `listen` it opens no socket at all.
   * @throws ServerError `INVALID_OPTION` (names the option and what it may be), `LISTEN_FAILED`,
   * `FILE_FAILED` or `STORAGE_FAILED` (the folder of JetStream cannot be used, or another server has it).
   */
  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(await settingsOf(options), nodeRuntime());
    await server.open();
    return server;
  }

  /**
   * Starts a server by a configuration file of nats-server. In a file clients are listened for on every address and port 4222 unless it says
   * otherwise. What the file asks for and this server does not do yet is said in the log.
   * @param overrides - options that come before those of the file, such as `{ listen: { port: 0 } }`.
   * @throws ConfigError with all that is wrong in the file, each with its file, line and position; and as `start` does.
   */
  static async fromConfigFile(path: string, overrides: ServerOptions = {}): Promise<NatsServer> {
    const { readConfigFile } = await import("./config-file.ts");
    const config = readConfigFile(path);
    const settings = await settingsOf(mergeOptions(config.options, overrides));
    const server = new NatsServer(settings, nodeRuntime());
    await server.openConfigured(path, config, overrides);
    return server;
  }

  /** What writes files, if the options name one. */
  #files: typeof import("./server-files.ts") | undefined;
  #ownLog: NodeLogger | undefined;
  /** What comes before the options of the configuration file. */
  #overrides: ServerOptions = {};
  #portsFile: PortsFile | undefined;
  /** The end of the last reload. */
  #reloads: Promise<void> = Promise.resolve();

  /** As `open`, for a server whose options come from a file. */
  protected async openConfigured(path: string, config: Config, overrides: ServerOptions): Promise<void> {
    this.config = factsOf(path, config);
    this.#overrides = overrides;
    await this.open();
  }

  /** Where a file, or the command line, asks for JetStream and names no folder, it is one for temporary files, as in nats-server. */
  protected override storeDirOf(options: JetStreamOptions): string | undefined {
    if (options.storeDir !== undefined || !this.keepsFiles) return options.storeDir;
    this.log.warn("Temporary storage directory used, data could be lost on system reboot");
    return `${tmpdir()}/nats`;
  }

  /** Whether JetStream keeps files where nothing is said. */
  protected get keepsFiles(): boolean {
    return this.config !== undefined;
  }

  /** Opens the listeners, once the log is open. */
  protected override async open(): Promise<void> {
    await this.prepare(this.options);
    this.#changeLog(this.options);
    try {
      await super.open();
    } catch (error) {
      this.#ownLog?.close();
      throw error;
    }
  }

  protected override async prepare({ logFile, pidFile, portsFileDir }: ResolvedServerOptions): Promise<void> {
    if (logFile !== undefined || pidFile !== undefined || portsFileDir !== undefined) {
      this.#files ??= await import("./server-files.ts");
    }
  }

  /**
   * What writes the log where the program has given no logger; undefined for nothing.
   * @throws ServerError `FILE_FAILED`.
   */
  protected openLog(options: ResolvedServerOptions): NodeLogger | undefined {
    return options.logFile === undefined ? undefined : new this.#files!.NodeLogger(options);
  }

  /** A logger of the program's own is its own affair. */
  #changeLog(options: ResolvedServerOptions): void {
    if (options.logger !== SILENT) return;
    const before = this.#ownLog;
    this.#ownLog = this.openLog(options);
    this.log.to = this.#ownLog ?? SILENT;
    before?.close();
  }

  protected override applyLogging(options: ResolvedServerOptions): void {
    this.#changeLog(options);
    super.applyLogging(options);
  }

  /** Reloads are made one after the other, so that what the file says last is what holds. */
  override reload(): Promise<void> {
    const reloaded = this.#reloads.then(() => this.#reload());
    this.#reloads = reloaded.catch(() => {});
    return reloaded;
  }

  async #reload(): Promise<void> {
    if (this.config === undefined) return super.reload();
    const { path } = this.config;
    const { readConfigFile } = await import("./config-file.ts");
    let next: Config;
    try {
      next = readConfigFile(path);
    } catch (cause) {
      throw new ServerError("RELOAD_FAILED", (cause as Error).message, { cause });
    }
    await this.reconfigure(mergeOptions(next.options, this.#overrides), factsOf(path, next));
  }

  protected override afterReload(before: ResolvedServerOptions): void {
    const { pidFile, portsFileDir } = this.options;
    // The server runs on without a file that cannot be written; the log says so.
    const log = { fatal: (text: string) => this.log.error(text) };
    try {
      if (pidFile !== undefined && pidFile !== before.pidFile) this.#files!.writePidFile(pidFile, log);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
    }
    if (portsFileDir === before.portsFileDir) return;
    this.#portsFile?.remove();
    this.#portsFile =
      portsFileDir === undefined
        ? undefined
        : new this.#files!.PortsFile(portsFileDir, this.endpoints(), this.log);
  }

  protected override beforeListening(): void {
    if (this.options.pidFile !== undefined) this.#files!.writePidFile(this.options.pidFile, this.log);
  }

  protected override afterListening(): void {
    const { portsFileDir } = this.options;
    if (portsFileDir !== undefined)
      this.#portsFile = new this.#files!.PortsFile(portsFileDir, this.endpoints(), this.log);
  }

  protected override afterClosing(): void {
    this.#portsFile?.remove();
  }

  override async close(): Promise<void> {
    await super.close();
    this.#ownLog?.close();
  }
}

function factsOf(path: string, { digest, warnings, unserved }: Config): ConfigFacts {
  return { path, digest, remarks: [...warnings, ...unserved].map(showProblem), loadedAt: Date.now() };
}
