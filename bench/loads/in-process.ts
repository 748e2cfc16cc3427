/**
 * The loads for the server in this program: `in-process.ts <case as JSON>` prints the result as JSON. They
 * run against the build, as a user's program does.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { type Connection, connect, NatsServer } from "../../dist/runtime/node/index.js";
import { type Fan, fan } from "./fan.ts";

/** One load. */
export type InProcessLoad =
  | ({ readonly kind: "fan" } & Fan)
  | { readonly kind: "request"; readonly size: number; readonly count: number }
  | { readonly kind: "start" };

async function open(): Promise<{ publisher: Connection; subscriber: Connection }> {
  const inProcessServer = await NatsServer.start();
  return { subscriber: await connect({ inProcessServer }), publisher: await connect({ inProcessServer }) };
}

/** One request after the other, each answered with what it asked. A tenth goes before to warm up. */
async function request(size: number, count: number): Promise<{ rate: number }> {
  const { publisher, subscriber } = await open();
  subscriber.subscribe("service", { callback: (_error, msg) => void msg.respond(msg.data) });
  await subscriber.flush();
  const payload = new Uint8Array(size).fill(7);
  const ask = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const answer = await publisher.request("service", payload, { timeout: 1_000 });
      if (answer.data.length !== size) throw new Error(`an answer of ${answer.data.length} bytes`);
    }
  };
  await ask(Math.ceil(count / 10));
  const start = performance.now();
  await ask(count);
  return { rate: count / ((performance.now() - start) / 1000) };
}

/**
 * From nothing but the loaded module to the first message that came, in ms. Nothing is warmed up: that is the
 * point.
 */
async function startToFirst(): Promise<{ ms: number }> {
  const start = performance.now();
  const { publisher, subscriber } = await open();
  const came = new Promise<void>((resolve) => {
    subscriber.subscribe("bench", { callback: () => resolve() });
  });
  await subscriber.flush();
  publisher.publish("bench", "hello");
  await publisher.flush();
  await came;
  return { ms: performance.now() - start };
}

async function run(load: InProcessLoad): Promise<object> {
  if (load.kind === "start") return startToFirst();
  if (load.kind === "request") return request(load.size, load.count);
  const { publisher, subscriber } = await open();
  return fan(publisher, subscriber, load);
}

const result = await run(JSON.parse(process.argv[2]) as InProcessLoad);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
