// A durable work queue that survives `kill -9`: node examples/work-queue.js [folder]
//
// It starts itself as a second program, which owns the queue: a server in the process, with its stream on disk. That program is killed
// in the middle of its work, without a warning, and started again: every job that was accepted is done, and none was lost.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { connect, NatsServer } from "gnatlet";

const JOBS = 100;

/** The program that is killed: it takes jobs, and does them. */
async function work(storeDir) {
  const server = await NatsServer.start({ jetstream: { storeDir } });
  const nc = await connect({ inProcessServer: server });
  const manager = await jetstreamManager(nc);
  // Both calls find what is there already when the program starts again.
  await manager.streams.add({ name: "JOBS", subjects: ["jobs.>"], retention: RetentionPolicy.Workqueue });
  // What was handed out before a kill, and is not acknowledged, comes again after the wait: it should be longer than what is handed out takes.
  await manager.consumers.add("JOBS", {
    durable_name: "worker",
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(2_000),
  });

  const js = jetstream(nc);
  process.on("message", async ({ job }) => {
    // With the id, a job that was accepted twice (the first answer was lost with the process) is in the queue once.
    const { duplicate } = await js.publish("jobs.resize", JSON.stringify({ job }), { msgID: `job-${job}` });
    process.send({ accepted: job, duplicate });
  });
  const consumer = await js.consumers.get("JOBS", "worker");
  for await (const message of await consumer.consume({ max_messages: 10 })) {
    process.send({ done: message.json().job });
    // Resolves when the acknowledgement is on disk, too.
    await message.ackAck();
  }
}

async function main(storeDir) {
  const accepted = new Set();
  const done = new Set();
  let repeated = 0;
  let child;
  const send = (job) => child.connected && child.send({ job }, () => {});
  const start = () => {
    child = fork(process.argv[1], ["--work", storeDir]);
    child.on("message", (said) => {
      if (said.accepted !== undefined) accepted.add(said.accepted);
      else if (done.has(said.done)) repeated += 1;
      else done.add(said.done);
    });
  };
  start();
  for (let kill = 1; kill <= 3; kill++) {
    for (let job = 0; job < JOBS; job++) if (!accepted.has(job)) send(job);
    while (done.size < (JOBS * kill) / 5) await once(child, "message");
    child.kill("SIGKILL");
    await once(child, "exit");
    console.log(`Killed it: ${accepted.size} jobs accepted, ${done.size} done.`);
    start();
  }
  for (let job = 0; job < JOBS; job++) if (!accepted.has(job)) send(job);
  while (done.size < JOBS) await once(child, "message");
  child.kill("SIGTERM");
  const lost = [...accepted].filter((job) => !done.has(job));
  console.log(`All ${done.size} jobs are done, ${lost.length} lost, ${repeated} done again after a kill.`);
}

const [first, second] = process.argv.slice(2);
if (first === "--work") await work(second);
else await main(first ?? mkdtempSync(join(tmpdir(), "gnatlet-jobs-")));
