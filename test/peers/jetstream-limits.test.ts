import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Fragment } from "../support/config-fragments.ts";
import { JetStreamModel } from "../support/jetstream-model.ts";
import { type Request, ScriptRunner } from "../support/jetstream-script.ts";
import { RealServer } from "../support/real-server.ts";

const SERVER = { duplicateWindow: 60_000, maxAckPending: 500, maxRequestBatch: 100 };
const ACCOUNT = {
  maxMemory: 100_000,
  maxStore: 200_000,
  maxStreams: 3,
  maxConsumers: 2,
  maxAckPending: 300,
  memoryMaxStreamBytes: 60_000,
  storeMaxStreamBytes: 150_000,
  maxBytesRequired: true,
};

let folder: string;
let server: RealServer;
let runner: ScriptRunner;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-js-"));
  const file = join(folder, "nats.conf");
  await writeFile(
    file,
    `jetstream {
      store_dir: ${JSON.stringify(folder)}, max_mem: 1000000000, max_file: 1000000000
      limits { duplicate_window: "1m", max_ack_pending: 500, max_request_batch: 100 }
    }
    accounts { A {
      users: [{ user: a, password: a }]
      jetstream {
        max_mem: 100000, max_file: 200000, max_streams: 3, max_consumers: 2, max_ack_pending: 300
        mem_max_stream_bytes: 60000, disk_max_stream_bytes: 150000, max_bytes_required: true
      }
    } }`,
  );
  server = await RealServer.start(["-c", file]);
  runner = await ScriptRunner.start(server, { user: "a", pass: "a" });
});

after(async () => {
  await runner.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function same(...scripts: Request[][]): Promise<void> {
  const problems: string[] = [];
  for (const script of scripts)
    problems.push(...(await runner.run(script, new JetStreamModel(SERVER, ACCOUNT))));
  assert.equal(problems.length, 0, problems.join("\n"));
}

function stream(verb: "CREATE" | "UPDATE", name: string, more: Fragment): Request {
  return [`STREAM.${verb}.${name}`, JSON.stringify({ name, storage: "memory", max_bytes: 10_000, ...more })];
}

function consumer(name: string, config: Fragment, pedantic = false): Request {
  return [
    `CONSUMER.CREATE.S.${name}`,
    JSON.stringify({ stream_name: "S", config: { ack_policy: "explicit", ...config }, pedantic }),
  ];
}

test("what an account and the server give to streams", async () => {
  await same(
    [stream("CREATE", "S", { max_bytes: 0 })],
    [stream("CREATE", "S", { max_bytes: -1 })],
    [stream("CREATE", "S", { max_bytes: 60_000 }), stream("CREATE", "S", { max_bytes: 60_000 })],
    [stream("CREATE", "S", { max_bytes: 60_001 })],
    [stream("CREATE", "S", { max_bytes: 150_001, storage: "file" })],
    [stream("CREATE", "S", { max_bytes: 300_000, storage: "file" })],
    [
      stream("CREATE", "S", { max_bytes: 150_000, storage: "file" }),
      stream("CREATE", "T", { max_bytes: 50_001, storage: "file" }),
    ],
    [
      stream("CREATE", "S", { max_bytes: 60_000 }),
      stream("CREATE", "T", { max_bytes: 40_000 }),
      stream("CREATE", "U", { max_bytes: 1 }),
    ],
    [
      stream("CREATE", "S", {}),
      stream("CREATE", "T", {}),
      stream("CREATE", "U", {}),
      stream("CREATE", "V", {}),
    ],
    [
      stream("CREATE", "S", {}),
      stream("CREATE", "T", {}),
      stream("CREATE", "U", {}),
      stream("CREATE", "U", {}),
    ],
    [stream("CREATE", "S", { max_consumers: 3 })],
    [stream("CREATE", "S", { max_consumers: 2 }), stream("UPDATE", "S", { max_consumers: 3 })],
    [
      stream("CREATE", "S", { max_bytes: 50_000 }),
      stream("CREATE", "T", { max_bytes: 40_000 }),
      stream("UPDATE", "S", { max_bytes: 60_000 }),
      stream("UPDATE", "T", { max_bytes: 40_001 }),
      stream("UPDATE", "S", { max_bytes: 20_000 }),
      stream("UPDATE", "T", { max_bytes: 60_000 }),
      stream("UPDATE", "T", { max_bytes: 60_001 }),
    ],
    [stream("CREATE", "S", {}), stream("CREATE", "S", { pedantic: true, duplicate_window: 0 })],
    [
      stream("CREATE", "S", { duplicate_window: 60_000_000_000 }),
      stream("UPDATE", "S", { duplicate_window: 90_000_000_000 }),
    ],
    [stream("CREATE", "S", { duplicate_window: 5_000_000_000, pedantic: true })],
  );
});

test("what an account and the server give to consumers", async () => {
  const created = stream("CREATE", "S", {});
  await same(
    [created, consumer("a", {}), consumer("b", {}), consumer("c", {})],
    [created, consumer("a", { max_ack_pending: 300 }), consumer("b", { max_ack_pending: 301 })],
    [created, consumer("a", { max_ack_pending: 501 }), consumer("b", { max_ack_pending: -1 })],
    [created, consumer("a", { max_batch: 100 }), consumer("b", { max_batch: 101 })],
    [created, consumer("a", {}, true)],
    [created, consumer("a", { max_batch: 5 }, true)],
    [stream("CREATE", "S", { max_consumers: 1 }), consumer("a", {}), consumer("b", {})],
  );
});
