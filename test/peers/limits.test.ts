/** Limits that nats-server has in its configuration file only: refused in the same words, and the connection ends or stays alike. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { mask } from "../support/exchanges.ts";
import { RawClient } from "../support/raw-client.ts";
import { RealServer } from "../support/real-server.ts";

describe("limits, with nats-server", () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-limits-"));
  let real: RealServer;
  let ours: NatsServer;

  before(async () => {
    const file = join(folder, "server.conf");
    writeFileSync(file, "max_connections: 2\nmax_subscriptions: 2\nmax_payload: 10\nmax_control_line: 50\n");
    real = await RealServer.start(["-c", file]);
    ours = await NatsServer.start({
      listen: { port: 0 },
      maxConnections: 2,
      maxSubscriptions: 2,
      maxPayload: 10,
      maxControlLine: 50,
    });
  });

  after(async () => {
    await real.close();
    await ours.close();
    rmSync(folder, { recursive: true });
  });

  async function script(port: number): Promise<string[]> {
    const got: string[] = [];
    const one = await RawClient.open(port);
    got.push(await one.ask('CONNECT {"verbose":false}\r\nSUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPING\r\n'));
    got.push(await one.ask("UNSUB 1\r\nSUB c 3\r\nPUB c 10\r\n0123456789\r\nPING\r\n"));
    const two = await RawClient.open(port);
    const three = await RawClient.openUngreeted(port);
    got.push(mask(await three.end()));
    got.push(await two.ask(`SUB ${"x".repeat(49)} 1\r\nPING\r\n`));
    got.push(await one.ask("PUB c 11\r\n01234567890\r\nPING\r\n"));
    return got;
  }

  it("are kept alike", async () => {
    assert.deepEqual(await script(ours.port!), await script(real.port));
  });
});
