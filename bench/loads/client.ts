/**
 * The load for a client library over TCP: `client.ts <library> <port> <load as JSON>` prints the result as JSON. All connections of
 * the library are in this process, and the server is somebody else's, so that the client is what is measured.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Fan, fan } from "./fan.ts";
import { heapPerMessage } from "./heap.ts";
import { type Requests, requests } from "./requests.ts";

type Connect = (options: { servers: string }) => Promise<NatsConnection>;

/** One load. */
export type ClientLoad =
  | ({ readonly kind: "fan" } & Fan)
  | ({ readonly kind: "requests" } & Requests)
  | { readonly kind: "connect"; readonly count: number }
  | { readonly kind: "heap"; readonly size: number; readonly count: number };

/** The libraries have the same interface. Only the one that is measured is loaded. */
async function load(library: string): Promise<Connect> {
  if (library === "gnatlet") return (await import("../../dist/runtime/node/index.js")).connect;
  if (library === "nats.js") return (await import("@nats-io/transport-node")).connect;
  throw new Error(`there is no library "${library}"`);
}

/** The median of the times (ms) from `connect()` to connected, one after the other. */
async function connectTimes(connect: Connect, servers: string, count: number): Promise<{ ms: number }> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const connection = await connect({ servers });
    times.push(performance.now() - start);
    await connection.close();
  }
  times.sort((a, b) => a - b);
  return { ms: times[times.length >> 1] };
}

async function run(connect: Connect, servers: string, what: ClientLoad): Promise<object> {
  if (what.kind === "connect") return connectTimes(connect, servers, what.count);
  const first = await connect({ servers });
  if (what.kind === "requests") return requests(first, what);
  const second = await connect({ servers });
  return what.kind === "heap" ? heapPerMessage(second, first, what) : fan(second, first, what);
}

const [library, port, json] = process.argv.slice(2);
const result = await run(await load(library), `127.0.0.1:${port}`, JSON.parse(json) as ClientLoad);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
