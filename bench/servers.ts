import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./command-start.ts";
import { Child, startLoad } from "./processes.ts";

/** How long (ms) a server may take to be ready. */
const READY_MS = 10_000;
/** How long (ms) our server may take to collect its garbage and tell what is left. */
const RSS_MS = 10_000;

/** A server over TCP, in a process of its own. */
export interface TcpServer {
  readonly port: number;
  /** The memory of its process, in bytes. */
  rss(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts ours. @param root - of the checkout whose build it is. @param options - of the server, beside its listener. */
export async function startGnatlet(root: string, options: object = {}): Promise<TcpServer> {
  const child = startLoad(root, "our server", "server.ts", [JSON.stringify(options)]);
  try {
    const { port } = (await child.answer(READY_MS)) as { port: number };
    return {
      port,
      async rss() {
        child.say("rss");
        return ((await child.answer(RSS_MS)) as { rss: number }).rss;
      },
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Starts the real one, with its defaults but for address and port. @param args - what else it is started with. */
export async function startNatsServer(file: string, args: readonly string[] = []): Promise<TcpServer> {
  const port = await freePort();
  const child = new Child("nats-server", file, ["-a", "127.0.0.1", "-p", String(port), ...args]);
  const deadline = performance.now() + READY_MS;
  while (!(await canConnect(port))) {
    if (!child.isRunning || performance.now() > deadline) {
      await child.stop();
      throw new Error(`nats-server is not ready on port ${port}`);
    }
    await sleep(20);
  }
  return { port, rss: async () => rssOf(child.pid!), stop: () => child.stop() };
}

/** Starts ours with JetStream in a directory of its own, which goes with it. */
export async function startOurJetStream(root: string): Promise<TcpServer> {
  const directory = newDirectory();
  return withoutDirectory(await startGnatlet(root, { jetstream: { storeDir: directory } }), directory);
}

/** The same for the real one. @param sync - when it syncs: two minutes after a write, or before it answers. */
export async function startTheirJetStream(file: string, sync: "late" | "always"): Promise<TcpServer> {
  const directory = newDirectory();
  const config = join(directory, "server.conf");
  const interval = sync === "always" ? "sync_interval: always" : "";
  writeFileSync(config, `jetstream { store_dir: ${JSON.stringify(directory)}, ${interval} }\n`);
  return withoutDirectory(await startNatsServer(file, ["-c", config]), directory);
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), "gnatlet-bench-"));
}

function withoutDirectory(server: TcpServer, directory: string): TcpServer {
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  return { ...server, stop };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (can: boolean): void => {
      socket.destroy();
      resolve(can);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** As Linux tells it; elsewhere there is no such file, and the peer's number is left out with that error. */
function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
