import { availableParallelism } from "node:os";
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
