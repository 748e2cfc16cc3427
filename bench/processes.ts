import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { buildSync } from "esbuild";
import type { Sample } from "./case.ts";

/** How long (ms) a process that was asked to end may take before it is killed. */
const STOP_MS = 3_000;
/** How much of what a process said on stderr is kept, to explain its failure. */
const STDERR_CHARACTERS = 2_000;

const running = new Set<ChildProcess>();

/**
 * Lets no process outlive the benchmark, however that ends: a forgotten server would disturb the next run.
 */
export function killChildrenOnExit(): void {
  process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}

/**
 * A process of its own for each thing that is measured, so that neither the heap nor the compiled code of one
 * has a part in another. It answers in lines on stdout; every wait for one ends.
 */
export class Child {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #name: string;
  readonly #exited: Promise<void>;
  readonly #lines: string[] = [];
  #stderr = "";
  #ended: string | undefined;
  #wake: () => void = () => {};

  /** @param name - what errors call it. */
  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = name;
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    running.add(this.#process);
    this.#exited = new Promise((resolve) => {
      const end = (how: string): void => {
        running.delete(this.#process);
        this.#ended ??= how;
        this.#wake();
        resolve();
      };
      this.#process.on("error", (error) => end(error.message));
      this.#process.on("close", (code, signal) => end(`exited with ${code ?? signal}`));
    });
    this.#process.stdin.on("error", () => {
      // It has gone; that it has is seen above.
    });
    this.#process.stderr.on("data", (bytes: Buffer) => {
      this.#stderr = (this.#stderr + bytes.toString("utf8")).slice(-STDERR_CHARACTERS);
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** False once it has ended. */
  get isRunning(): boolean {
    return this.#ended === undefined;
  }

  /** Says a line to it. */
  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /**
   * The next object that it prints as JSON on a line.
   * @throws Error when it ends before, or takes longer than `timeout` ms.
   */
  async answer(timeout: number): Promise<unknown> {
    if (this.#lines.length === 0 && this.isRunning) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeout);
        this.#wake = resolve;
      });
      clearTimeout(timer);
    }
    const line = this.#lines.shift();
    if (line !== undefined) return this.#parse(line);
    if (this.isRunning) throw this.#failure(`hung: no answer within ${timeout / 1000} s`);
    throw this.#failure(this.#ended!);
  }

  /** Ends it: politely, and then not. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#process.stdin.end();
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #parse(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch {
      throw this.#failure(`printed "${line}" instead of JSON`);
    }
  }

  #failure(how: string): Error {
    const said = this.#stderr.trim();
    return new Error(`${this.#name} ${how}${said === "" ? "" : `: ${said}`}`);
  }
}

const LOADS = join("bench", "loads");

/** Starts Node on a file of `bench/loads/`. @param root - of the checkout whose build it measures: this one, or an older one. */
export function startLoad(root: string, name: string, file: string, args: readonly string[]): Child {
  return new Child(name, process.execPath, ["--expose-gc", builtLoad(root, file), ...args]);
}

const builtLoads = new Set<string>();

/**
 * The load as JavaScript, below the root, made once in a run. A process that compiles while it loads has the compiler in it, which costs
 * some cases a third of their speed. The loads are always those of this checkout.
 */
function builtLoad(root: string, file: string): string {
  const source = join(import.meta.dirname, "loads", file);
  const outfile = join(root, LOADS, file.replace(/\.[jt]s$/, ".built.mjs"));
  if (!builtLoads.has(outfile)) {
    buildSync({
      entryPoints: [source],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      external: ["../../dist/*"],
      logLevel: "error",
    });
    builtLoads.add(outfile);
  }
  return outfile;
}

/** The one result of a process that then has no more to do. A hung one is killed. */
export async function resultOf(child: Child, timeout: number): Promise<Sample> {
  try {
    return (await child.answer(timeout)) as Sample;
  } finally {
    await child.stop();
  }
}
