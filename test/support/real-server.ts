import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";
import { until } from "./waiting.ts";

/** A real nats-server in a process of its own. */
export class RealServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #log: () => string;

  private constructor(child: ChildProcess, port: number, log: () => string) {
    this.#child = child;
    this.#log = log;
    this.port = port;
  }

  /** Starts one, on a free port unless one is given; `flags` go to it as they are. */
  static async start(flags: string[] = [], wanted?: number): Promise<RealServer> {
    const program = process.env.NATS_SERVER;
    if (program === undefined)
      throw new Error("tests in test/peers/ are run by scripts/test.ts, which finds the nats-server");
    // It takes a free port itself: one that we had found could be taken by another test's server before it listens there.
    const child = spawn(program, ["-a", "127.0.0.1", "-p", String(wanted ?? -1), ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    const port = await new Promise<number>((resolve, reject) => {
      child.stderr!.on("data", (bytes) => {
        log += bytes;
        const listens = /Listening for client connections on \S+:(\d+)/.exec(log);
        if (listens !== null && log.includes("Server is ready")) resolve(Number(listens[1]));
      });
      child.once("error", reject);
      child.once("close", () => reject(new Error(`nats-server does not start: ${log}`)));
    });
    return new RealServer(child, port, () => log);
  }

  /** What it has logged: lines without process id, time and level. */
  get log(): string[] {
    return this.#log()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.replace(/^\[\d+\] (?:\S+ \S+ )?\[\w+\] /, ""));
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Has it read its configuration file again. */
  async reload(): Promise<void> {
    const before = this.#log().length;
    this.#child.kill("SIGHUP");
    await until(
      () => /Reloaded server conf|Failed to reload/.test(this.#log().slice(before)),
      "it has reloaded",
    );
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * A port that nobody listens on. It is below those that systems give out by themselves (from 32768 or 49152 on): between here and its use
 * no connection or listener of another test gets it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_000);
    const server = createServer();
    server.listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!free) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
