/**
 * What an idle server adds to a program: `memory.js` prints `{"bytes":…}`, the process's memory with the
 * library loaded, a server started and a connection made, less that before. It is JavaScript because tsx
 * would load, before the first look, much that the library would then be found not to need.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long (ms) freed memory takes to go back to the system. */
const SETTLE_MS = 200;

async function rss() {
  for (let i = 0; i < 2; i++) {
    globalThis.gc();
    await sleep(SETTLE_MS);
  }
  return process.memoryUsage.rss();
}

const before = await rss();
const { connect, NatsServer } = await import("../../dist/runtime/node/index.js");
const inProcessServer = await NatsServer.start();
const connection = await connect({ inProcessServer });
const bytes = (await rss()) - before;
if (connection.isClosed()) throw new Error("the connection is closed");
process.stdout.write(`${JSON.stringify({ bytes })}\n`);
process.exit(0);
