import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/** The signal of each command (nats-server `CommandToSignal`). */
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  stop: "SIGKILL",
  quit: "SIGINT",
  term: "SIGTERM",
  reopen: "SIGUSR1",
  reload: "SIGHUP",
  ldm: "SIGUSR2",
};

/** What {@link sendSignal} needs of the outside. */
export interface ProcessTable {
  /** The ids of the processes of that name, without this one; undefined when that cannot be found out. */
  find(name: string): number[] | undefined;
  /** @throws an error with a `code` of the system, such as ESRCH. */
  kill(pid: number, signal: NodeJS.Signals): void;
}

/**
 * Sends a running server a signal: `<command>[=<pid>]`, where the pid is a number, a file that holds one, or the beginning of one with a
 * `*` behind it. Without it the server is found by the program's name; there must be one only.
 *
 * @returns what is wrong, in nats-server's words; undefined when all went well.
 */
export function sendSignal(parameter: string, program: string, processes: ProcessTable): string | undefined {
  const [command, target, ...more] = parameter.split("=");
  if (more.length > 0) return `invalid signal parameters: [${more.join(" ")}]`;
  const expression = target === undefined ? "" : pidText(target);
  const several = expression.endsWith("*");
  const wanted = several ? expression.slice(0, -1) : expression;
  if (wanted !== "" && !/^[+-]?\d+$/.test(wanted)) return `invalid pid: ${wanted}`;
  let pids: number[] | undefined = [Number(wanted)];
  if (wanted === "" || several) pids = processes.find(program);
  if (pids === undefined) return "unable to resolve pid, try providing one";
  if (pids.length > 1 && !several) return [`multiple ${program} processes running:`, ...pids].join("\n");
  if (pids.length === 0) return `no ${program} processes running`;
  const signal = Object.hasOwn(SIGNALS, command) ? SIGNALS[command] : undefined;
  if (signal === undefined) return `unknown signal ${JSON.stringify(command)}`;
  let problems = "";
  for (const pid of pids) {
    if (several && !String(pid).startsWith(wanted)) continue;
    try {
      processes.kill(pid, signal);
    } catch (error) {
      problems += `\nsignal ${JSON.stringify(command)} ${pid}: ${killProblem(error)}`;
    }
  }
  return problems === "" ? undefined : problems;
}

function pidText(target: string): string {
  try {
    return readFileSync(target, "utf8");
  } catch {
    return target;
  }
}

function killProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ESRCH") return "no such process";
  if (code === "EPERM") return "operation not permitted";
  return message;
}

/** The processes of this machine. */
export const PROCESSES: ProcessTable = {
  find(name) {
    const found = spawnSync("pgrep", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    if (found.error !== undefined) return undefined;
    const pids = found.stdout.split("\n").filter((line) => line !== "");
    if (!pids.every((pid) => /^\d+$/.test(pid))) return undefined;
    return pids.map(Number).filter((pid) => pid !== process.pid);
  },
  kill(pid, signal) {
    process.kill(pid, signal);
  },
};
