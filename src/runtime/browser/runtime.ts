import { errors } from "../../client/core.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import type { ClientRuntime } from "../../seams/runtime.ts";
import { VERSION } from "../../seams/version.ts";
import type { WebSocketLike } from "../client-websocket-link.ts";
import { BrowserTasks } from "./tasks.ts";

const clock: Clock = {
  now: () => Date.now(),
  // Nothing is stored here.
  precise: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay, action) {
    const timer = setTimeout(action, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};

const random: Random = {
  fill(bytes) {
    crypto.getRandomValues(bytes);
  },
  fraction: () => Math.random(),
};

/** What every platform of the web has: browsers, workers, Deno, Bun, Node 22. There is no TCP. What carries bytes is loaded when it is used. */
export function browserRuntime(): ClientRuntime {
  return {
    clock,
    random,
    tasks: new BrowserTasks(),
    version: VERSION,
    async dialWebSocket(url, tls) {
      if (tls !== undefined && Object.keys(tls).length > 0) {
        throw errors.InvalidArgumentError.format("tls", "is not configurable here: the platform decides");
      }
      const { WebSocket: Socket } = globalThis as { WebSocket?: new (url: string) => WebSocketLike };
      if (Socket === undefined) throw new errors.ConnectionError("this platform has no WebSocket");
      const { opened } = await import("../client-websocket-link.ts");
      return opened(
        new Socket(url),
        url.startsWith("wss:"),
        (delay, action) => void setTimeout(action, delay),
      );
    },
    portLink: async (port) => new (await import("../port-link.ts")).PortLink(port, () => {}),
    duplexLink: async (duplex) => (await import("../duplex-link.ts")).duplexLink(duplex),
    print: (line) => console.info(line),
  };
}
