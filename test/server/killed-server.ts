/** A server with JetStream in the directory that it is given, which says on stdout which port it has, and waits to be killed. */
import { writeSync } from "node:fs";
import process from "node:process";
import { NatsServer } from "../../src/runtime/node/index.ts";

const server = await NatsServer.start({
  listen: { host: "127.0.0.1", port: 0 },
  jetstream: { storeDir: process.argv[2] },
});
writeSync(1, `port ${server.port}\n`);
// Nobody is left to kill it when the one that started it is gone.
process.stdin.on("end", () => process.exit(1)).resume();
