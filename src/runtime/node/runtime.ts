import type { Network } from "../../seams/listener.ts";
import type { Passwords } from "../../seams/passwords.ts";
import type { Port } from "../../seams/port.ts";
import type { Runtime } from "../../seams/runtime.ts";
import { VERSION } from "../../seams/version.ts";
import { PortLink } from "../port-link.ts";
import { NodeClock } from "./clock.ts";
import { NodeCompression } from "./compression.ts";
import { NodeHost } from "./host.ts";
import { nodeRandom } from "./random.ts";
import { NodeTasks } from "./tasks.ts";

/** Loaded when a program uses sockets at all: one that stays in process does without Node's network code. */
const NETWORK: Network = {
  listen: async (address, accept, failed) =>
    (await import("./network.ts")).listenTcp(address, accept, failed),
  listenHttp: async (address, handler) => (await import("./http.ts")).listenHttp(address, handler),
  listenHttps: async (address, handler, context) =>
    (await import("./https.ts")).listenHttps(address, handler, context),
  listenSecurable: async (address, accept, failed) =>
    (await import("./tls-network.ts")).listenSecurable(address, accept, failed),
  listenWebsocket: async (address, settings, handler) =>
    (await import("./websocket-network.ts")).listenWebsocket(address, settings, handler),
  readTls: async (config) => (await import("./tls-network.ts")).readTls(config),
};

/** What has no state, and so is the same for all: made once, as servers and clients should start quickly. */
const SHARED: Omit<Runtime, "clock" | "tasks" | "passwords" | "host"> = {
  random: nodeRandom,
  network: NETWORK,
  compression: new NodeCompression(),
  loadDisk: async () => new (await import("./disk.ts")).NodeDisk(),
  loadCiphers: async () => new (await import("./ciphers.ts")).NodeCiphers(),
  version: VERSION,
  platform: `node${process.versions.node}`,
  dial: async (host, port) => (await import("./network.ts")).dialTcp(host, port),
  dialWebSocket: async (url, tls) => (await import("./dial-websocket.ts")).dialWebSocket(url, tls),
  resolveHost: async (hostname) => (await import("./network.ts")).resolveHost(hostname),
  duplexLink: async (duplex) => (await import("../duplex-link.ts")).duplexLink(duplex),
  print: (line) => console.info(line),
  portLink: (port) => new PortLink(port, (closed) => (port as Port & Closing).on?.("close", closed)),
  portPair: () => {
    const { port1, port2 } = new MessageChannel();
    return [port1 as unknown as Port, port2 as unknown as Port];
  },
};

/** Node, and what is compatible with it: Bun and Deno. */
export function nodeRuntime(): Runtime {
  return {
    ...SHARED,
    clock: new NodeClock(),
    tasks: new NodeTasks(),
    passwords: new LazyPasswords(),
    host: new NodeHost(),
  };
}

/** Loads what checks passwords when the first one is to be checked. */
class LazyPasswords implements Passwords {
  #loaded: Promise<Passwords> | undefined;

  async verify(hash: string, password: string, gone?: () => boolean): Promise<boolean> {
    this.#loaded ??= import("./passwords.ts").then(({ WorkerPasswords }) => new WorkerPasswords());
    return (await this.#loaded).verify(hash, password, gone);
  }

  close(): void {
    void this.#loaded?.then((passwords) => passwords.close());
    this.#loaded = undefined;
  }
}

/** Node's ports tell when the other end has gone. */
interface Closing {
  on?(event: "close", listener: () => void): unknown;
}
