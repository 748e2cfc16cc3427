/** `nats-top` looks at this server as it does at a nats-server. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";

/** How long (ms) one command may take. */
const PATIENCE_MS = 20_000;

test("nats-top shows the server and its connections", async () => {
  const host = "127.0.0.1";
  const server = await NatsServer.start({ listen: { host, port: 0 }, http: { host, port: 0 } });
  const connection = await connect({ servers: server.clientUrl!, name: "looked at" });
  connection.subscribe("a");
  connection.publish("a", "four");
  await connection.flush();
  const { port } = new URL(server.monitorUrl!);
  const { stdout } = await promisify(execFile)(
    process.env.NATS_TOP!,
    ["-s", host, "-m", port, "-o", "-", "-r", "1", "-d", "1", "-u"],
    { timeout: PATIENCE_MS },
  );
  assert.match(stdout, /NATS server version 2\.14\.\d+ \(uptime: /);
  assert.ok(stdout.includes(`ID:   ${server.id}`), stdout);
  assert.match(stdout, /In: +Msgs: 1 +Bytes: 4 /);
  assert.match(stdout, /Out: +Msgs: 1 +Bytes: 4 /);
  assert.match(stdout, /Connections Polled: 1/);
  assert.match(stdout, new RegExp(`${host}:\\d+ +1 +looked at +1 .* typescript `));
  await connection.close();
  await server.close();
});
