import { closeSync, fstatSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LogOutput } from "./log-output.ts";
import { dateParts } from "./log-time.ts";

/** Whoever may read the file: its owner and group (nats-server's `defaultLogPerms`). */
const MODE = 0o640;

/** The name that a backup has after the log file's: a point, and the time to the nanosecond. */
const BACKUP_NAME = /^\.\d{4}\.\d{2}\.\d{2}\.\d{2}\.\d{2}\.\d{2}(\.\d{1,9})?$/;

/** When a {@link LogFile} is set aside. */
export interface LogFileOptions {
  /** Bytes after which a new file is begun; 0 for never. */
  readonly sizeLimit: number;
  /** Files to keep, the one being written among them; 0 for all. */
  readonly maxFiles: number;
}

/** The lines that a log file says of itself. */
export interface LogFileLines {
  info(text: string): string;
  error(text: string): string;
}

/**
 * A file that log lines are added to. When it has grown beyond the limit it is renamed to `<file>.<year>.<month>.<day>.<hour>.<minute>.
 * <second>.<nanoseconds>`, as nats-server does, and a new one begun.
 */
export class LogFile implements LogOutput {
  readonly #path: string;
  readonly #options: LogFileOptions;
  readonly #lines: LogFileLines;
  #descriptor: number | undefined;
  #size: number;
  /** What the size is held to: more than the option says after a rotation that failed. */
  #limit: number;

  /** @throws the error of the file system when the file cannot be opened. */
  constructor(path: string, options: LogFileOptions, lines: LogFileLines) {
    this.#path = path;
    this.#options = options;
    this.#lines = lines;
    this.#limit = options.sizeLimit;
    this.#descriptor = openSync(path, "a", MODE);
    this.#size = fstatSync(this.#descriptor).size;
    if (this.#limit > 0 && this.#size > this.#limit) this.write(lines.info("Rotating logfile..."));
  }

  write(line: string): void {
    this.#append(line);
    if (this.#limit > 0 && this.#size > this.#limit) this.#rotate();
  }

  /** Adds what fits: on a full disk that is nothing, which is what nats-server does, too. */
  #append(line: string): void {
    if (this.#descriptor === undefined) return;
    try {
      this.#size += writeSync(this.#descriptor, line);
    } catch {
      // There is nowhere to say it.
    }
  }

  #rotate(): void {
    const backup = `${this.#path}.${stamp()}`;
    let next: number;
    try {
      renameSync(this.#path, backup);
      next = openSync(this.#path, "a", MODE);
    } catch (error) {
      this.#limit *= 2;
      this.#append(
        this.#lines.error(
          `Unable to rotate logfile (${(error as Error).message}), will attempt next rotation at size ${this.#limit}`,
        ),
      );
      return;
    }
    this.close();
    this.#descriptor = next;
    this.#size = 0;
    this.#limit = this.#options.sizeLimit;
    this.#append(this.#lines.info(`Rotated log, backup saved as ${JSON.stringify(backup)}`));
    if (this.#options.maxFiles > 0) this.#purge();
  }

  /** Removes the oldest backups. */
  #purge(): void {
    const folder = dirname(this.#path);
    const name = basename(this.#path);
    try {
      const backups = readdirSync(folder)
        .filter((entry) => entry.startsWith(name) && BACKUP_NAME.test(entry.slice(name.length)))
        .sort();
      const kept = this.#options.maxFiles - 1;
      for (const backup of backups.slice(0, Math.max(0, backups.length - kept))) {
        unlinkSync(join(folder, backup));
        this.#append(this.#lines.info(`Purged log file ${JSON.stringify(backup)}`));
      }
    } catch (error) {
      const why = (error as Error).message;
      this.#append(this.#lines.error(`Unable to remove old log files (${why}), will attempt next rotation`));
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    try {
      closeSync(this.#descriptor);
    } catch {
      // What was written was written.
    }
    this.#descriptor = undefined;
  }
}

/** The time now, to the nanosecond in form, as a backup's name has it. */
function stamp(): string {
  const now = performance.timeOrigin + performance.now();
  const nanos = Math.floor((now % 1_000) * 1_000_000);
  return [...dateParts(new Date(now), false), String(nanos).padStart(9, "0")].join(".");
}
