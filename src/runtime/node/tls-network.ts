import type { ListenAddress, Listener } from "../../seams/listener.ts";
import type { SecurableLink, TlsConfig, TlsContext } from "../../seams/tls.ts";
import { listenSockets } from "./network.ts";
import { TcpSecurableLink } from "./securable-link.ts";
import { NodeTlsContext } from "./tls-context.ts";

/** Begins to listen, as `Network.listenSecurable` says. */
export function listenSecurable(
  address: ListenAddress,
  accept: (link: SecurableLink) => void,
  failed?: (why: string) => void,
): Promise<Listener> {
  return listenSockets(address, (socket) => accept(new TcpSecurableLink(socket)), failed);
}

/** Reads the files of a TLS configuration, as `Network.readTls` says. */
export function readTls(config: TlsConfig): TlsContext {
  return new NodeTlsContext(config);
}
