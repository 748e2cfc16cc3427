import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { assert } from "../../protocol/assert.ts";
import type { HttpHandler } from "../../seams/http.ts";
import type { ListenAddress, Listener } from "../../seams/listener.ts";
import type { TlsContext } from "../../seams/tls.ts";
import { HEADERS_TIMEOUT_MS, httpServer, listening } from "./http.ts";
import { NodeTlsContext } from "./tls-context.ts";

/**
 * Begins to listen, as `Network.listenHttps` says: a server for HTTP that is given each connection after its handshake. Node's own for HTTPS
 * cannot change certificates for clients that name no server.
 */
export function listenHttps(
  address: ListenAddress,
  handler: HttpHandler,
  context: () => TlsContext,
): Promise<Listener> {
  const server = httpServer(handler);
  const [serve] = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeListener("connection", serve);
  const shaking = new Set<TLSSocket>();
  server.on("connection", (plain: Socket) => {
    const current = context();
    assert(current instanceof NodeTlsContext, "a TLS context belongs to its runtime");
    const socket = current.handshake(plain, (outcome) => {
      shaking.delete(socket);
      socket.setTimeout(0);
      if ("facts" in outcome) serve.call(server, socket);
    });
    shaking.add(socket);
    // The time for a handshake is that for the head of a request; nats-server has one for both.
    socket.setTimeout(HEADERS_TIMEOUT_MS, () => shaking.has(socket) && socket.destroy());
  });
  return listening(server, address, () => {
    for (const socket of shaking) socket.destroy();
  });
}
