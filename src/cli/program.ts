import { basename } from "node:path";

/**
 * The name that the program was started by, which its messages begin with: "gnatlet", or that of a link to it, such as "nats-server".
 *
 * @param path - of the script, as `process.argv[1]` has it.
 */
export function programName(path: string | undefined): string {
  const name = basename(path ?? "").replace(/\.[cm]?[jt]s$/, "");
  return name === "" ? "gnatlet" : name;
}

const SECRET = /^(--?(?:user|pass|auth))(=.*)?$/s;

/** A command line that may be shown: without users, passwords and tokens (nats-server's `RedactArgs`). */
export function redacted(args: readonly string[]): string[] {
  return args.map((arg, at) => {
    if (at > 0 && /^--?(?:user|pass|auth)$/.test(args[at - 1])) return "[REDACTED]";
    const match = SECRET.exec(arg);
    return match?.[2] === undefined ? arg : `${match[1]}=[REDACTED]`;
  });
}
