import { createServer, connect as open } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "./processes.ts";

/** How long (ms) a command may take to greet a client. */
const READY_MS = 10_000;
/** How long (ms) to wait before the next try to connect. */
const RETRY_MS = 1;

/** The time (ms) from when a command is started to the INFO that its first client gets. */
export async function measureCommandStart(
  name: string,
  program: string,
  args: readonly string[],
): Promise<number> {
  const port = await freePort();
  const begun = performance.now();
  const child = new Child(name, program, [...args, "-a", "127.0.0.1", "-p", String(port)]);
  try {
    while (!(await greets(port))) {
      if (!child.isRunning || performance.now() - begun > READY_MS) throw new Error(`${name} does not start`);
      await sleep(RETRY_MS);
    }
    return performance.now() - begun;
  } finally {
    await child.stop();
  }
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = open(port, "127.0.0.1");
    const settle = (done: boolean): void => {
      socket.destroy();
      resolve(done);
    };
    socket.once("data", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve((address as { port: number }).port));
    });
  });
}
