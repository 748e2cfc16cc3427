/** A client that goes on by time gets the messages from that one on, and none before: on both servers. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { timestampNs, timestampOfNs } from "../../src/jetstream/json/timestamps.ts";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";
import { RealServer } from "../support/real-server.ts";

const COUNT = 120;

let folder: string;
let real: RealServer;
let ours: NatsServer;
const clients: NatsConnection[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gnatlet-times-"));
  real = await RealServer.start(["-js", "-sd", join(folder, "real")]);
  ours = await NatsServer.start({
    listen: { host: "127.0.0.1", port: 0 },
    jetstream: { storeDir: join(folder, "ours") },
  });
  clients.push(await connect({ servers: real.url }), await connect({ port: ours.port }));
});
after(async () => {
  for (const client of clients) await client.close();
  await real.close();
  await ours.close();
  await rm(folder, { recursive: true, force: true });
});

async function ask(nc: NatsConnection, subject: string, body: object = {}) {
  const answer = (await nc.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 10_000 })).json();
  const { error } = answer as { error?: object };
  assert.equal(error, undefined, subject);
  return answer as Record<string, never>;
}

/** Makes a stream with messages that have come at once; tells when each was stored, in ns. */
async function timesOf(nc: NatsConnection, storage: string): Promise<bigint[]> {
  await ask(nc, "STREAM.CREATE.T", { name: "T", subjects: ["t"], storage, allow_direct: true });
  for (let i = 1; i < COUNT; i++) nc.publish("t", `${i}`);
  const last = (await nc.request("t", `${COUNT}`)).json() as { seq: number };
  assert.equal(last.seq, COUNT);
  const times: bigint[] = [];
  for (let seq = 1; seq <= COUNT; seq++) {
    const { message } = await ask(nc, "STREAM.MSG.GET.T", { seq });
    const time = timestampNs((message as { time: string }).time);
    const direct = await nc.request("$JS.API.DIRECT.GET.T", JSON.stringify({ seq }));
    assert.equal(timestampNs(direct.headers!.get("Nats-Time-Stamp")), time);
    times.push(time);
  }
  return times;
}

/** The first message that a new consumer gets, and the time that its reply subject says; nothing when there is none. */
async function firstFrom(nc: NatsConnection, time: bigint): Promise<readonly unknown[]> {
  const config = {
    deliver_policy: "by_start_time",
    opt_start_time: timestampOfNs(time),
    ack_policy: "explicit",
    mem_storage: true,
  };
  const made: unknown = await ask(nc, "CONSUMER.CREATE.T", { stream_name: "T", config });
  const { name, num_pending: pending } = made as { name: string; num_pending: number };
  const request = { batch: 1, no_wait: true };
  const msg = await nc.request(`$JS.API.CONSUMER.MSG.NEXT.T.${name}`, JSON.stringify(request), {
    timeout: 10_000,
    noMux: true,
  });
  await ask(nc, `CONSUMER.DELETE.T.${name}`);
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>
  const [, , , , , seq, , stored, behind] = (msg.reply ?? "").split(".");
  return seq === undefined ? [pending] : [pending, msg.string(), Number(seq), BigInt(stored), Number(behind)];
}

describe("messages that come at once", () => {
  for (const storage of ["file", "memory"])
    for (const [side, name] of ["nats-server", "ours"].entries())
      it(`have times of their own, by which consumers begin, in ${storage}, ${name}`, async () => {
        const nc = clients[side];
        const times = await timesOf(nc, storage);
        for (let i = 1; i < COUNT; i++) assert.ok(times[i] > times[i - 1], `${i}: ${times[i]}`);
        const { state } = (await ask(nc, "STREAM.INFO.T")) as unknown as { state: Record<string, string> };
        assert.deepEqual([state.first_ts, state.last_ts].map(timestampNs), [times[0], times[COUNT - 1]]);
        for (const [i, time] of times.entries()) {
          const left = COUNT - i;
          assert.deepEqual(await firstFrom(nc, time), [left, `${i + 1}`, i + 1, time, left - 1]);
        }
        const none = await firstFrom(nc, times[COUNT - 1] + 1n);
        assert.deepEqual(none, [0]);
        const { message } = await ask(nc, "STREAM.MSG.GET.T", {
          start_time: timestampOfNs(times[COUNT / 2]),
          next_by_subj: "t",
        });
        assert.equal((message as { seq: number }).seq, COUNT / 2 + 1);
        await ask(nc, "STREAM.DELETE.T");
      });
});
