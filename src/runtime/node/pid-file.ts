import { writeFileSync } from "node:fs";
import process from "node:process";
import { ServerError } from "../../server/errors.ts";
import { systemErrorText } from "./system-error.ts";

/**
 * Writes the id of this process to a file, as nats-server does: in decimal, without a line end, and it stays when the process ends.
 * @throws ServerError `FILE_FAILED`.
 */
export function writePidFile(path: string, log: { fatal(text: string): void }): void {
  try {
    writeFileSync(path, String(process.pid), { mode: 0o600 });
  } catch (cause) {
    const problem = `Could not write pidfile: ${systemErrorText(cause)}`;
    log.fatal(problem);
    throw new ServerError("FILE_FAILED", problem, { option: "pidFile", cause });
  }
}
