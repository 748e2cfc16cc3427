import { fstatSync } from "node:fs";
import process from "node:process";
import type { Logger } from "../../seams/logger.ts";
import { ServerError } from "../../server/errors.ts";
import type { ServerOptions } from "../../server/options/types.ts";
import { LogFile } from "./log-file.ts";
import { DescriptorOutput, type LogOutput } from "./log-output.ts";
import { LogTime } from "./log-time.ts";
import { systemErrorText } from "./system-error.ts";

/** The options of a server that say how it logs. */
export type LogOptions = Pick<
  ServerOptions,
  "logFile" | "logtime" | "logtimeUtc" | "logfileSizeLimit" | "logfileMaxNum"
>;

/** The labels of the levels, and the colours that they have on a terminal. */
const LABELS = {
  notice: ["INF", "32"],
  debug: ["DBG", "36"],
  warn: ["WRN", "0;93"],
  error: ["ERR", "31"],
  fatal: ["FTL", "31"],
  trace: ["TRC", "33"],
} as const;

type Level = keyof typeof LABELS;

/** Writes log lines as nats-server does: `[<pid>] 2026/01/02 15:04:05.000000 [INF] <text>`. */
export class NodeLogger implements Logger {
  readonly #options: LogOptions;
  readonly #pid = `[${process.pid}] `;
  readonly #time: LogTime | undefined;
  readonly #labels: Readonly<Record<Level, string>>;
  #output: LogOutput;

  /**
   * Lines go to `logFile`, or without one to stderr.
   * @throws ServerError `FILE_FAILED` when the file cannot be opened.
   */
  constructor(options: LogOptions) {
    this.#options = options;
    this.#time = options.logtime === false ? undefined : new LogTime(options.logtimeUtc === true);
    this.#labels = logLabels(options.logFile === undefined && isTerminal(2));
    this.#output = this.#open();
  }

  #open(): LogOutput {
    const { logFile, logfileSizeLimit = 0, logfileMaxNum = 0 } = this.#options;
    if (logFile === undefined) return new DescriptorOutput(2);
    const limits = { sizeLimit: logfileSizeLimit, maxFiles: logfileMaxNum };
    try {
      return new LogFile(logFile, limits, {
        info: (text) => this.#line("notice", text),
        error: (text) => this.#line("error", text),
      });
    } catch (cause) {
      throw new ServerError("FILE_FAILED", `error opening file: ${systemErrorText(cause)}`, {
        option: "logFile",
        cause,
      });
    }
  }

  #line(level: Level, text: string): string {
    const line =
      this.#pid + (this.#time === undefined ? "" : `${this.#time.now()} `) + this.#labels[level] + text;
    return line.endsWith("\n") ? line : `${line}\n`;
  }

  notice(text: string): void {
    this.#output.write(this.#line("notice", text));
  }

  warn(text: string): void {
    this.#output.write(this.#line("warn", text));
  }

  error(text: string): void {
    this.#output.write(this.#line("error", text));
  }

  fatal(text: string): void {
    this.#output.write(this.#line("fatal", text));
  }

  debug(text: string): void {
    this.#output.write(this.#line("debug", text));
  }

  trace(text: string): void {
    this.#output.write(this.#line("trace", text));
  }

  /** Opens the file anew: it may have been moved away. */
  reopen(): void {
    if (this.#options.logFile === undefined) {
      this.notice("File log re-open ignored, not a file logger");
      return;
    }
    const before = this.#output;
    try {
      this.#output = this.#open();
    } catch (error) {
      this.error((error as ServerError).message);
      return;
    }
    before.close();
    this.notice("File log re-opened");
  }

  /** Closes the file. */
  close(): void {
    this.#output.close();
  }
}

/** What stands before the text of each level, with colours or without. */
export function logLabels(coloured: boolean): Readonly<Record<Level, string>> {
  const made = {} as Record<Level, string>;
  for (const [level, [label, colour]] of Object.entries(LABELS) as [Level, readonly [string, string]][]) {
    made[level] = coloured ? `[\u001b[${colour}m${label}\u001b[0m] ` : `[${label}] `;
  }
  return made;
}

/** Whether it is a character device: what nats-server colours by (which has /dev/null be coloured). */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice();
  } catch {
    return false;
  }
}
