import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { type Config, readConfig } from "../../config/read-config.ts";

/** What nats-server says of files that cannot be read. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
  EMFILE: "too many open files",
};

/**
 * Reads a configuration file, with those that it includes and the environment of this process.
 * @throws ConfigError with all that is wrong.
 */
export function readConfigFile(path: string): Config {
  return readConfig({
    path,
    readFile,
    env: (name) => process.env[name],
    sha256: (bytes) => createHash("sha256").update(bytes).digest("hex"),
  });
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code === "EISDIR") throw new Error(`read ${path}: is a directory`, { cause });
    throw new Error(`open ${path}: ${REASONS[code] ?? code}`, { cause });
  }
}
