import { lookup } from "node:dns/promises";
import { connect, createServer, type Server, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import process from "node:process";
import type { ClientLink } from "../../seams/dial.ts";
import type { ByteLink } from "../../seams/link.ts";
import type { ListenAddress, Listener } from "../../seams/listener.ts";
import { ClientSocketLink } from "./client-link.ts";
import { Descriptors } from "./descriptors.ts";
import { SocketLink } from "./socket-link.ts";
import { systemErrorText } from "./system-error.ts";

/** The size of the array that all sockets of a server read into: as much as makes one turn of the event loop worth it. */
const SERVER_READ_BYTES = 256 * 1024;
/** The size of the array that clients' sockets read into. */
const CLIENT_READ_BYTES = 64 * 1024;
/** Whether one array does for many sockets: what one reads is used up before the next one reads. On Windows the system may hold the arrays of several reads at a time. */
const CAN_SHARE = process.platform !== "win32";
const CLIENT_READS = new Uint8Array(CAN_SHARE ? CLIENT_READ_BYTES : 0);

const ALL_IPV4 = "0.0.0.0";
const ALL = "::";

/** Begins to listen, as `Network.listen` says. */
export function listenTcp(
  address: ListenAddress,
  accept: (link: ByteLink) => void,
  failed?: (why: string) => void,
): Promise<Listener> {
  const shared = CAN_SHARE ? new Uint8Array(SERVER_READ_BYTES) : undefined;
  return listenSockets(address, (socket) => accept(acceptedLink(socket, shared)), failed);
}

/** Begins to listen; the sockets that it hands over are paused. */
export function listenSockets(
  address: ListenAddress,
  accept: (socket: Socket) => void,
  failed: (why: string) => void = () => {},
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const descriptors = new Descriptors();
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect: true }, (socket) => {
      const exhausted = descriptors.exhaustedBy(socket);
      accept(socket);
      if (exhausted !== undefined) failed(exhausted);
    });
    const refuse = (cause: Error): void => reject(new Error(systemErrorText(cause), { cause }));
    server.once("error", refuse);
    // "0.0.0.0" is every address of the machine, as with nats-server: those of IPv6, too, where there are any.
    const host = address.host === ALL_IPV4 && hasIpv6() ? ALL : address.host;
    server.listen({ host, port: address.port, backlog: 1024 }, () => {
      server.off("error", refuse);
      // An accept can fail (no descriptors left, say): the connection is lost, the listener stays.
      server.on("error", (cause) => failed(systemErrorText(cause)));
      resolve(listenerOf(server, address.host));
    });
  });
}

/**
 * A client's socket can be told to read into an array of ours; one that a server accepted cannot, and makes a new array for every read,
 * which costs a fifth of the throughput of larger messages. So its handle is given to a new socket that can. Where sockets
 * have no such handle (other runtimes than Node), the accepted one is used as it is.
 */
function acceptedLink(accepted: Socket, shared: Uint8Array | undefined): ByteLink {
  const handle = (accepted as Socket & Handled)._handle;
  if (typeof handle?.useUserBuffer !== "function") {
    const link = new SocketLink(accepted);
    accepted.on("data", (bytes) => link.received(bytes));
    // It was paused when it was accepted, and a listener alone does not change that.
    accepted.resume();
    return link;
  }
  (accepted as Socket & Handled)._handle = null;
  const buffer = shared ?? new Uint8Array(CLIENT_READ_BYTES);
  const socket: Socket = new Socket({ handle, onread: { buffer, callback: onRead(() => link) } } as object);
  // The accepted socket, which has nothing any more, leaves the count of those that `Server.close` waits for.
  accepted.destroy();
  const link = new SocketLink(socket);
  socket.resume();
  return link;
}

/** What Node's sockets have beyond their types. */
interface Handled {
  _handle: { useUserBuffer?: unknown } | null;
}

function onRead(
  link: () => { received(bytes: Uint8Array): void } | undefined,
): (length: number, buffer: Uint8Array) => boolean {
  return (length, buffer) => {
    link()?.received(buffer.subarray(0, length));
    return true;
  };
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family }) => family === "IPv6"),
  );
}

function listenerOf(server: Server, asked: string): Listener {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP listener has an address");
  return {
    address: { host: asked === ALL_IPV4 ? asked : bound.address, port: bound.port },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Opens a TCP connection. */
export function dialTcp(host: string, port: number): Promise<ClientLink> {
  return new Promise((resolve, reject) => {
    let link: ClientSocketLink | undefined;
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: CAN_SHARE ? CLIENT_READS : new Uint8Array(CLIENT_READ_BYTES),
        callback: onRead(() => link),
      },
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      link = new ClientSocketLink(socket);
      resolve(link);
    });
  });
}

/** All addresses of a host, in the system's order. */
export async function resolveHost(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
