import { arch, cpus, platform, totalmem } from "node:os";
import process from "node:process";
import { type Peers, packageVersion } from "./peers.ts";

/** Where numbers were measured: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** GB (10⁹ bytes). */
  readonly memory: number;
  readonly system: string;
}

/** This one. */
export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    memory: Math.round(totalmem() / 1e9),
    system: `${platform()} ${arch()}`,
  };
}

/** The versions of all that takes part. */
export function versions(root: string, peers: Peers): Record<string, string> {
  return { gnatlet: packageVersion(root) ?? "unknown", Node: process.versions.node, ...peers.versions };
}
