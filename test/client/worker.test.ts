/** A server in one thread, a client in another. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import { connect, NatsServer } from "../../src/runtime/node/index.ts";
import { soon, until } from "../support/waiting.ts";

const LIBRARY = new URL("../../dist/runtime/node/index.js", import.meta.url).href;

/** Runs a program in a worker, with a port to the server as `port`. */
function work(server: NatsServer, source: string): Worker {
  const port = server.messagePort();
  const program = `
    import { workerData, parentPort } from "node:worker_threads";
    import { connect } from ${JSON.stringify(LIBRARY)};
    const nc = await connect({ messagePort: workerData });
    ${source}`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  return new Worker(url, { workerData: port, transferList: [port as never] });
}

describe("a client in a worker thread", () => {
  it("serves requests of the main thread, and ends", async () => {
    await using server = await NatsServer.start();
    await using nc = await connect({ inProcessServer: server });
    const worker = work(
      server,
      `nc.subscribe("square", { callback: (_, msg) => msg.respond(String(Number(msg.string()) ** 2)) });
       nc.subscribe("stop", { callback: () => nc.drain() });
       await nc.flush();
       parentPort.postMessage("ready");`,
    );
    const exit = once(worker, "exit");
    await soon(once(worker, "message"), "the worker");
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => nc.request("square", String(i))));
    assert.deepEqual(
      answers.map((msg) => Number(msg.string())),
      Array.from({ length: 50 }, (_, i) => i * i),
    );
    nc.publish("stop");
    assert.deepEqual(await soon(exit, "the worker's end"), [0]);
    await until(() => server.stats().connections === 1, "the server has noticed");
  });

  it("gets megabytes in order, held back instead of queued without bound", async () => {
    await using server = await NatsServer.start({ maxPending: 8 * 1024 * 1024 });
    await using nc = await connect({ inProcessServer: server });
    const worker = work(
      server,
      `let sum = 0, last = -1;
       nc.subscribe("bulk", { callback: (_, msg) => {
         const n = new DataView(msg.data.buffer, msg.data.byteOffset).getUint32(0);
         if (n !== last + 1) throw new Error("out of order");
         last = n; sum += msg.data.length;
       } });
       nc.subscribe("done", { callback: (_, msg) => { msg.respond(String(sum)); } });
       await nc.flush();
       parentPort.postMessage("ready");`,
    );
    await soon(once(worker, "message"), "the worker");
    const payload = new Uint8Array(50_000);
    for (let i = 0; i < 1_000; i++) {
      new DataView(payload.buffer).setUint32(0, i);
      nc.publish("bulk", payload);
      if (i % 20 === 0) await nc.flush();
    }
    const answer = await nc.request("done", "", { timeout: 5_000 });
    assert.equal(Number(answer.string()), 50_000_000);
    assert.equal(server.stats().slowConsumers, 0);
    await worker.terminate();
    await until(() => server.stats().connections === 1, "the server has noticed that the worker is gone");
  });

  it("hears of the server's end", async () => {
    const server = await NatsServer.start();
    const worker = work(
      server,
      `parentPort.postMessage("ready");
       const error = await nc.closed();
       parentPort.postMessage(error.message);`,
    );
    await soon(once(worker, "message"), "the worker");
    const told = once(worker, "message");
    const exit = once(worker, "exit");
    await server.close();
    assert.match((await soon(told, "the worker's word"))[0], /server closed the connection/);
    assert.deepEqual(await soon(exit, "the worker's end"), [0]);
  });
});
