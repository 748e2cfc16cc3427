/**
 * The load for a client library over TCP: `client.ts <gnatlet or nats.js> <port> <load as JSON>` prints the
 * result as JSON. Both connections are in this process, and the server is somebody else's, so that the client
 * is what is measured.
 */
import process from "node:process";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Fan, fan } from "./fan.ts";

type Connect = (options: { servers: string }) => Promise<NatsConnection>;

/** The libraries have the same interface. Only the one that is measured is loaded. */
async function load(library: string): Promise<Connect> {
  if (library === "gnatlet") return (await import("../../dist/runtime/node/index.js")).connect;
  if (library === "nats.js") return (await import("@nats-io/transport-node")).connect;
  throw new Error(`there is no library "${library}"`);
}

const [library, port, json] = process.argv.slice(2);
const connect = await load(library);
const servers = `127.0.0.1:${port}`;
const subscriber = await connect({ servers });
const publisher = await connect({ servers });
const result = await fan(publisher, subscriber, JSON.parse(json) as Fan);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
