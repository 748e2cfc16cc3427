import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** The real nats-server to compare with: NATS_SERVER, `.tools/nats-server`, or one on the PATH; undefined when there is none. */
export function findNatsServer(root: string): string | undefined {
  return findTool(root, "nats-server", process.env.NATS_SERVER);
}

/** A Chromium for the tests of pages: CHROMIUM, or one on the PATH; undefined when there is none. */
export function findBrowser(root: string): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return process.env.CHROMIUM ?? names.map((name) => findTool(root, name)).find((file) => file !== undefined);
}

/** Another JavaScript runtime: BUN or DENO, one from npm in `.tools/`, or one on the PATH. */
export function findRuntime(root: string, name: "bun" | "deno"): string | undefined {
  const fromNpm = join(root, ".tools", "runtimes", "node_modules", ".bin", name);
  return process.env[name.toUpperCase()] ?? (existsSync(fromNpm) ? fromNpm : findTool(root, name));
}

/** A program by name: the one given, the one in `.tools/`, or one on the PATH. */
export function findTool(root: string, name: string, given?: string): string | undefined {
  const places = [join(root, ".tools"), ...(process.env.PATH ?? "").split(delimiter)].map((folder) =>
    join(folder, name),
  );
  return (given ? [given] : places).find((file) => existsSync(file));
}

/** Its version, such as "2.14.5". */
export function natsServerVersion(file: string): string {
  return execFileSync(file, ["--version"], { encoding: "utf8" }).match(/v?(\d+\.\d+\.\d+)/)?.[1] ?? "unknown";
}
