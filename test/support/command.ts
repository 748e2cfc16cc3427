import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import process from "node:process";
import { PATIENCE_MS, until } from "./waiting.ts";

/** The command as it is shipped; `npm test` builds it. */
export const GNATLET = resolve(import.meta.dirname, "../../dist/cli/gnatlet.js");

/** What a command that ended by itself left. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a test starts a program. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** A command in a process of its own: gnatlet, or a real nats-server. */
export class Command {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";

  /** @param program - a path; one that ends in ".js" is run by this Node. */
  constructor(program: string, args: readonly string[], options: StartOptions = {}) {
    const script = program.endsWith(".js");
    this.child = spawn(script ? process.execPath : program, [...(script ? [program] : []), ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout!.on("data", (bytes) => {
      this.stdout += bytes;
    });
    this.child.stderr!.on("data", (bytes) => {
      this.stderr += bytes;
    });
  }

  /** Starts a server on a free port of 127.0.0.1, and waits until it is ready. */
  static async serve(program: string, args: readonly string[], options: StartOptions = {}): Promise<Command> {
    const command = new Command(program, ["-a", "127.0.0.1", "-p", "-1", ...args], options);
    await command.logged(/Server is ready/);
    return command;
  }

  /** Runs one that ends by itself. */
  static async run(program: string, args: readonly string[], options: StartOptions = {}): Promise<Outcome> {
    await using command = new Command(program, args, options);
    const timer = setTimeout(() => command.child.kill("SIGKILL"), PATIENCE_MS);
    const [code] = await once(command.child, "close");
    clearTimeout(timer);
    return { code, stdout: command.stdout, stderr: command.stderr };
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The port that its log tells. */
  get port(): number {
    return Number(/Listening for client connections on .*:(\d+)/.exec(this.stderr)?.[1]);
  }

  /** Waits for a line on stderr. */
  async logged(pattern: RegExp): Promise<void> {
    await until(() => {
      if (this.child.exitCode !== null && !pattern.test(this.stderr))
        throw new Error(`ended before ${pattern} was logged: ${this.stderr}`);
      return pattern.test(this.stderr);
    }, `${pattern} is logged`);
  }

  /** Sends a signal and waits for the end; the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    const ended = once(this.child, "close");
    this.child.kill(signal);
    const [code, by] = await ended;
    return code ?? by;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end("SIGKILL");
  }
}

/** A log with what differs from run to run taken out: process id, time, ids, ports. */
export function masked(log: string): string {
  return log
    .replace(/^\[\d+\] /gm, "[pid] ")
    .replace(/^(\[pid\] )?\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} /gm, "$1<time> ")
    .replace(/\bN[A-Z2-7]{55}\b/g, "<id>")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:<port>");
}
