/**
 * Our server, in a process of its own: `server.ts <options as JSON>` prints `{"port":…}` once it listens, answers a line "rss"
 * with `{"rss":…}` (bytes, after its garbage is collected), and ends with its stdin or at SIGTERM.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { NatsServer } from "../../dist/runtime/node/index.js";

/** How long (ms) freed memory takes to go back to the system. */
const SETTLE_MS = 200;

async function rss(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await sleep(SETTLE_MS);
  }
  return process.memoryUsage.rss();
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const options = JSON.parse(process.argv[2]) as object;
const server = await NatsServer.start({ ...options, listen: { host: "127.0.0.1", port: 0 } });
const stop = (): void => {
  void server.close().then(() => process.exit(0));
};
process.on("SIGTERM", stop);
const input = createInterface({ input: process.stdin });
input.on("line", async (line) => {
  if (line === "rss") say({ rss: await rss() });
});
input.on("close", stop);
say({ port: server.port });
