import process from "node:process";
import type { Port } from "../../seams/port.ts";
import type { Runtime } from "../../seams/runtime.ts";
import { VERSION } from "../../seams/version.ts";
import { PortLink } from "../port-link.ts";
import { nodeClock } from "./clock.ts";
import { nodeRandom } from "./random.ts";
import { NodeTasks } from "./tasks.ts";

/** Node, and what is compatible with it: Bun and Deno. */
export function nodeRuntime(): Runtime {
  return {
    clock: nodeClock,
    random: nodeRandom,
    tasks: new NodeTasks(),
    // Loaded when a program uses sockets at all: one that stays in process does without Node's network code.
    network: { listen: async (address, accept) => (await import("./network.ts")).listenTcp(address, accept) },
    version: VERSION,
    platform: `node${process.versions.node}`,
    dial: async (host, port) => (await import("./network.ts")).dialTcp(host, port),
    portLink: (port) => new PortLink(port, (closed) => (port as Port & Closing).on?.("close", closed)),
    portPair: () => {
      const { port1, port2 } = new MessageChannel();
      return [port1 as unknown as Port, port2 as unknown as Port];
    },
  };
}

/** Node's ports tell when the other end has gone. */
interface Closing {
  on?(event: "close", listener: () => void): unknown;
}
