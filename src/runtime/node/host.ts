import { availableParallelism } from "node:os";
import process from "node:process";
import type { Host } from "../../seams/host.ts";

/** How long (ms) a measured use of the processor holds: nats-server measures once a second. */
const CPU_PERIOD_MS = 1_000;

/** This process on this machine. */
export class NodeHost implements Host {
  readonly cores = availableParallelism();
  #measuredAt = performance.now();
  #usage = process.cpuUsage();
  #cpu = 0;

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
