import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { findNatsServer, findTool, natsServerVersion } from "../scripts/tools.ts";

/** How long (ms) the Go compiler may take; the first time it builds all that nats-server consists of. */
const BUILD_MS = 300_000;
const PROBE_MS = 20_000;

/** Whom we compare with, by the name in the table. */
export type PeerName = "nats-server" | "embedded Go" | "nats.js" | "gnatlet over TCP";

/** The peers on this machine, and what there is to say about the others. */
export interface Peers {
  /** The nats-server program. */
  readonly natsServer: string | undefined;
  /** The Go program that embeds nats-server. */
  readonly embedded: string | undefined;
  /** Whether the official client is installed. */
  readonly natsJs: boolean;
  /** Versions by what they are of. */
  readonly versions: Readonly<Record<string, string>>;
  /** Why a peer is left out, by its name. */
  readonly leftOut: Readonly<Partial<Record<PeerName, string>>>;
}

/** Looks for the peers, and builds the Go program when it is missing or older than its source. */
export function findPeers(root: string): Peers {
  const versions: Record<string, string> = {};
  const leftOut: Partial<Record<PeerName, string>> = {};

  let natsServer = findNatsServer(root);
  try {
    if (natsServer === undefined) throw new Error("neither NATS_SERVER, nor .tools/, nor the PATH has it");
    versions["nats-server"] = natsServerVersion(natsServer);
  } catch (error) {
    natsServer = undefined;
    leftOut["nats-server"] = (error as Error).message.trim();
  }

  let embedded: string | undefined;
  try {
    embedded = buildEmbedded(root);
    const { go, nats } = probeEmbedded(embedded);
    versions.Go = go.replace(/^go/, "");
    versions["nats-server embedded in Go"] = nats;
  } catch (error) {
    embedded = undefined;
    leftOut["embedded Go"] = (error as Error).message.trim();
  }

  for (const name of ["@nats-io/transport-node", "@nats-io/nats-core"]) {
    const version = packageVersion(join(root, "node_modules", name));
    if (version !== undefined) versions[name] = version;
  }
  const natsJs = versions["@nats-io/transport-node"] !== undefined;
  if (!natsJs) leftOut["nats.js"] = "@nats-io/transport-node is not installed";

  return { natsServer, embedded, natsJs, versions, leftOut };
}

/** The version of the package in a folder; undefined when there is none. */
export function packageVersion(folder: string): string | undefined {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version;
}

function buildEmbedded(root: string): string {
  const source = join(root, "bench", "peers", "embedded");
  const binary = join(root, ".tools", "embedded");
  const go = findTool(root, "go");
  if (existsSync(binary) && (go === undefined || modified(binary) >= modified(join(source, "main.go")))) {
    return binary;
  }
  if (go === undefined) throw new Error(".tools/embedded is not there, and there is no Go to build it with");
  execFileSync(go, ["build", "-o", binary, "."], { cwd: source, timeout: BUILD_MS, stdio: "pipe" });
  return binary;
}

/** Runs its smallest case: shows that it works here, and what it was built of. */
function probeEmbedded(binary: string): { go: string; nats: string } {
  const load = JSON.stringify({ kind: "start", size: 1, count: 1 });
  const answer = execFileSync(binary, [load], { encoding: "utf8", timeout: PROBE_MS, stdio: "pipe" });
  return JSON.parse(answer);
}

function modified(file: string): number {
  return statSync(file).mtimeMs;
}
