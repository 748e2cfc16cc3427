import { availableParallelism, totalmem } from "node:os";
import type { Host } from "../../seams/host.ts";

/** How long (ms) a measured use of the processor holds: nats-server measures once a second. */
const CPU_PERIOD_MS = 1_000;

/** This process on this machine. */
export class NodeHost implements Host {
  /** What the first look compares with is the start of the process. */
  #measuredAt = 0;
  #usage: NodeJS.CpuUsage = { user: 0, system: 0 };
  #cpu = 0;

  get cores(): number {
    return availableParallelism();
  }

  get totalMemory(): number {
    return totalmem();
  }

  async freeSpace(directory: string): Promise<number> {
    const { statfs } = await import("node:fs/promises");
    const { dirname } = await import("node:path");
    for (let path = directory; ; path = dirname(path)) {
      try {
        const { bavail, bsize } = await statfs(path);
        return bavail * bsize;
      } catch (error) {
        // What is not there yet will be on the disk of what is above it.
        if (path === dirname(path)) throw error;
      }
    }
  }

  memory(): number {
    return process.memoryUsage.rss();
  }

  cpu(): number {
    const elapsed = performance.now() - this.#measuredAt;
    if (elapsed < CPU_PERIOD_MS) return this.#cpu;
    const { user, system } = process.cpuUsage(this.#usage);
    this.#usage = process.cpuUsage();
    this.#measuredAt += elapsed;
    // Microseconds in milliseconds; nats-server gives tenths of a percent.
    this.#cpu = Math.round((user + system) / elapsed) / 10;
    return this.#cpu;
  }
}
