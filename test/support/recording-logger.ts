import type { Logger } from "../../src/seams/logger.ts";

/** Keeps what is logged. */
export class RecordingLogger implements Logger {
  /** The lines, of all levels. */
  readonly lines: string[] = [];
  /** The same, each with its level before it: "warn: text". */
  readonly levels: string[] = [];

  notice(text: string): void {
    this.#keep("notice", text);
  }

  warn(text: string): void {
    this.#keep("warn", text);
  }

  error(text: string): void {
    this.#keep("error", text);
  }

  debug(text: string): void {
    this.#keep("debug", text);
  }

  trace(text: string): void {
    this.#keep("trace", text);
  }

  #keep(level: string, text: string): void {
    this.lines.push(text);
    this.levels.push(`${level}: ${text}`);
  }
}
