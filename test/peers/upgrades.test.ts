/** Requests to the WebSocket listener, with a real nats-server: what the table says is what nats-server does. */
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { WebsocketOptions } from "../../src/server/options/types.ts";
import { freePort, RealServer } from "../support/real-server.ts";
import { upgradesSuite } from "../support/upgrades.ts";

let files = 0;

upgradesSuite("upgrades with nats-server", false, async (options) => {
  const file = join(tmpdir(), `gnatlet-websocket-${process.pid}-${files++}.conf`);
  const port = await freePort();
  await writeFile(file, `websocket {\n${block({ ...options, port })}\n}\n`);
  const server = await RealServer.start(["-c", file]);
  return { port, close: () => server.close() };
});

function block({
  port,
  sameOrigin,
  allowedOrigins,
  compression,
  headers,
}: Partial<WebsocketOptions>): string {
  const lines: [string, unknown][] = [
    ["host", "127.0.0.1"],
    ["port", port],
    ["no_tls", true],
    ["same_origin", sameOrigin],
    ["allowed_origins", allowedOrigins],
    ["compression", compression],
    ["headers", headers],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join("\n");
}
