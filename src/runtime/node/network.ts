import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteLink } from "../../seams/link.ts";
import type { ListenAddress, Listener, Network } from "../../seams/listener.ts";
import { SocketLink } from "./socket-link.ts";

/** The size of the array that a client's socket reads into. */
const READ_BYTES = 64 * 1024;

/** TCP. */
export const nodeNetwork: Network = {
  listen(address: ListenAddress, accept: (link: ByteLink) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, keepAlive: true }, (socket) =>
        accept(new SocketLink(socket)),
      );
      server.once("error", reject);
      server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
        server.off("error", reject);
        // An accept can fail (no descriptors left, say): the connection is lost, the listener stays.
        server.on("error", () => {});
        resolve(listenerOf(server));
      });
    });
  },
};

function listenerOf(server: Server): Listener {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP listener has an address");
  return {
    address: { host: bound.address, port: bound.port },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Opens a TCP connection. */
export function dialTcp(host: string, port: number): Promise<ByteLink> {
  return new Promise((resolve, reject) => {
    let link: SocketLink | undefined;
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: new Uint8Array(READ_BYTES),
        callback: (length, buffer) => {
          link?.received(buffer.subarray(0, length));
          return true;
        },
      },
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      link = new SocketLink(socket);
      resolve(link);
    });
  });
}
