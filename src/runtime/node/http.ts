import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpAnswer, HttpHandler } from "../../seams/http.ts";
import type { ListenAddress, Listener } from "../../seams/listener.ts";

/** How long (ms) a client may take to send the head of a request: nats-server's `ReadHeaderTimeout`. */
export const HEADERS_TIMEOUT_MS = 5_000;

/** Begins to listen, as `Network.listenHttp` says. */
export function listenHttp(address: ListenAddress, handler: HttpHandler): Promise<Listener> {
  return listening(httpServer(handler), address);
}

/** A server of Node's that has `handler` answer every request; nobody has told it to listen yet. */
export function httpServer(handler: HttpHandler): Server {
  const options = { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: HEADERS_TIMEOUT_MS };
  return createServer(options, (request, response) => void answer(request, response, handler));
}

/** Has a server listen. @param closing - called when the listener is closed. */
export function listening(
  server: Server,
  address: ListenAddress,
  closing: () => void = () => {},
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off("error", reject);
      // An accept can fail (no descriptors left, say): that connection is lost, the listener stays.
      server.on("error", () => {});
      const bound = server.address() as AddressInfo;
      resolve({
        address: { host: bound.address, port: bound.port },
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            closing();
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handler: HttpHandler,
): Promise<void> {
  // What a request carries is of no use here.
  request.resume();
  const { status, headers, body } = await answerOf(request, handler);
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

async function answerOf(request: IncomingMessage, handler: HttpHandler): Promise<HttpAnswer> {
  const plain = { "Content-Type": "text/plain; charset=utf-8" };
  const [path, query = ""] = split(request.url ?? "/");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return { status: 400, headers: plain, body: "400 Bad Request" };
  }
  try {
    return await handler({
      method: request.method ?? "GET",
      path: decoded,
      query: new URLSearchParams(query),
      accept: request.headers.accept ?? "",
    });
  } catch {
    return { status: 500, headers: plain, body: "500 Internal Server Error" };
  }
}

/** The path and the query of a request's target, which may be a whole URL. */
function split(target: string): string[] {
  const local = target.replace(/^https?:\/\/[^/?]*/i, "");
  const at = local.indexOf("?");
  return at < 0 ? [local] : [local.slice(0, at), local.slice(at + 1)];
}
