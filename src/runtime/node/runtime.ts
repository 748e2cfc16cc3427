import process from "node:process";
import { MessageChannel } from "node:worker_threads";
import type { Port } from "../../seams/port.ts";
import type { Runtime } from "../../seams/runtime.ts";
import { VERSION } from "../../seams/version.ts";
import { PortLink } from "../port-link.ts";
import { nodeClock } from "./clock.ts";
import { dialTcp, NodeNetwork } from "./network.ts";
import { nodeRandom } from "./random.ts";
import { NodeTasks } from "./tasks.ts";

/** Node, and what is compatible with it: Bun and Deno. */
export function nodeRuntime(): Runtime {
  return {
    clock: nodeClock,
    random: nodeRandom,
    tasks: new NodeTasks(),
    network: new NodeNetwork(),
    version: VERSION,
    platform: `node${process.versions.node}`,
    dial: dialTcp,
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
