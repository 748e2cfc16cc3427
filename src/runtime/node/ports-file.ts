import { unlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import type { Logger } from "../../seams/logger.ts";
import type { Endpoint } from "../../server/endpoint.ts";
import { systemErrorText } from "./system-error.ts";

/** The order of nats-server's `Ports`. */
const KINDS = ["nats", "monitoring", "websocket"] as const;

/**
 * A file `<program>_<pid>.ports` that lists the URLs of a server, for whoever started it on ports that were free. The program's name is
 * that of the script, without an ending such as ".js".
 */
export class PortsFile {
  readonly #path: string;
  readonly #log: Logger;

  /** Writes the file; a failure is a line in the log only, as with nats-server. */
  constructor(folder: string, endpoints: readonly Endpoint[], log: Logger) {
    const program = basename(process.argv[1] ?? process.argv0).replace(/\.[cm]?[jt]s$/, "");
    this.#path = join(folder, `${program}_${process.pid}.ports`);
    this.#log = log;
    const ports: Partial<Record<Endpoint["kind"], string[]>> = {};
    for (const kind of KINDS) {
      const urls = endpoints.filter((endpoint) => endpoint.kind === kind).flatMap(urlsOf);
      if (urls.length > 0) ports[kind] = urls;
    }
    try {
      writeFileSync(this.#path, JSON.stringify(ports), { mode: 0o666 });
    } catch (error) {
      log.error(`Error writing ports file (${this.#path}): ${systemErrorText(error)}`);
    }
  }

  /** Removes the file. */
  remove(): void {
    try {
      unlinkSync(this.#path);
    } catch (error) {
      // Go's name of the system call, which its error begins with.
      const why = systemErrorText(error).replace(/^unlink /, "remove ");
      this.#log.error(`Error cleaning up ports file ${this.#path}: ${why}`);
    }
  }
}

/** Its URLs: of every address of this machine, when it listens on all. */
function urlsOf({ scheme, host, port }: Endpoint): string[] {
  const hosts =
    host === "0.0.0.0" || host === "::"
      ? Object.values(networkInterfaces()).flatMap((addresses) =>
          (addresses ?? []).map(({ address }) => address),
        )
      : [host];
  return hosts.map((address) => `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}`);
}
