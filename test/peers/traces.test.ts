/** Message traces, of this server and of a real nats-server: the same scenarios come out the same. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RealServer } from "../support/real-server.ts";
import { runTraces } from "../support/trace-run.ts";
import { TRACE_SCENARIOS, TRACED_ACCOUNTS } from "../support/traced.ts";

describe("message traces of both servers", () => {
  const folder = mkdtempSync(join(tmpdir(), "gnatlet-traces-"));
  let ours: NatsServer;
  let theirs: RealServer;

  before(async () => {
    const { A, B } = TRACED_ACCOUNTS;
    const file = join(folder, "traces.conf");
    const config = {
      accounts: { A, B: { ...B, msg_trace: { dest: "trace.b", sampling: 100 } } },
      server_tags: ["tag:1", "two"],
      server_metadata: { where: "here" },
    };
    writeFileSync(file, JSON.stringify(config));
    theirs = await RealServer.start(["-c", file]);
    ours = await NatsServer.start({
      listen: { port: 0 },
      accounts: { A, B: { ...B, msgTrace: { dest: "trace.b", sampling: 100 } } },
      serverTags: ["tag:1", "two"],
      serverMetadata: { where: "here" },
    });
  });

  after(async () => {
    await ours.close();
    await theirs.close();
    rmSync(folder, { recursive: true });
  });

  for (const scenario of TRACE_SCENARIOS) {
    it(scenario.name, async () => {
      const expected = await runTraces(theirs.port, scenario);
      assert.equal(expected.traces.length, scenario.traces);
      assert.deepEqual(await runTraces(ours.port!, scenario), expected);
    });
  }
});
