import type { Server } from "./core.ts";
import type { ServerAddress } from "./server-address.ts";

/** What the server in this program is called. */
export const IN_PROCESS = "in-process";

/** A server that the connection knows. */
export interface KnownServer extends Server, ServerAddress {
  readonly src: string;
  readonly hostname: string;
  readonly port: number;
  readonly listen: string;
  /** The name for its certificate, when it is known by its IP address. */
  tlsName: string;
  /** Attempts that have failed since it was connected to last. */
  reconnects: number;
  /** When it was tried last, in ms since the epoch; 0 for never. */
  lastConnect: number;
  /** Whether another server told of it. */
  gossiped: boolean;
  didConnect: boolean;
}

/** @param known - the same server, as far as it was known before. */
export function knownServer(address: ServerAddress, gossiped: boolean, known?: KnownServer): KnownServer {
  const unknown = { tlsName: "", reconnects: 0, lastConnect: 0, gossiped: false, didConnect: false };
  return Object.assign(unknown, known, address, { gossiped });
}

/** What has no address: a server in this program, a port. */
export function serverNamed(name: string): KnownServer {
  const address = { src: name, scheme: "nats", hostname: name, port: 0, listen: name, path: "" } as const;
  return knownServer({ ...address, credentials: undefined }, false);
}

/** What a program may see of it. */
export function factsOf({ scheme, path, credentials, ...facts }: KnownServer): Server {
  return Object.freeze(facts);
}
