import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { assert } from "../../protocol/assert.ts";
import type { ListenAddress, Listener } from "../../seams/listener.ts";
import type { TlsFacts } from "../../seams/tls.ts";
import type { Upgrade, UpgradeRequest, WebsocketHandler, WebsocketSettings } from "../../seams/websocket.ts";
import { listenSockets } from "./network.ts";
import { NodeTlsContext } from "./tls-context.ts";
import { WebsocketLink } from "./websocket-link.ts";

/** Messages up to this size (bytes) are not worth compressing (nats-server `wsCompressThreshold`). */
const COMPRESS_ABOVE = 64;
/** The fastest level: what Go calls `flate.BestSpeed`. */
const COMPRESS_LEVEL = 1;
/** What every compressed connection agrees to: no memory of earlier messages. */
const DEFLATE_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** Begins to listen, as `Network.listenWebsocket` says. */
export async function listenWebsocket<U extends Upgrade>(
  address: ListenAddress,
  settings: WebsocketSettings,
  handler: WebsocketHandler<U>,
): Promise<Listener> {
  const door = new Door(settings, handler);
  const listener = await listenSockets(address, (socket) => door.enter(socket));
  return {
    address: listener.address,
    close: () => {
      const closed = listener.close();
      door.shut();
      return closed;
    },
  };
}

/** Sees connections from their first byte to the end of the upgrade. */
class Door<U extends Upgrade> {
  readonly #settings: WebsocketSettings;
  readonly #handler: WebsocketHandler<U>;
  readonly #http: Server;
  /** Connections that have not been upgraded, and the time they have for it. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout>();
  /** Of TLS sockets: what their handshake has settled, and the socket below. */
  readonly #facts = new WeakMap<Socket, TlsFacts>();
  readonly #plain = new WeakMap<Socket, Socket>();

  constructor(settings: WebsocketSettings, handler: WebsocketHandler<U>) {
    this.#settings = settings;
    this.#handler = handler;
    // What Node would answer by itself is answered by the rules; times are kept here.
    this.#http = createServer({ requireHostHeader: false, headersTimeout: 0, requestTimeout: 0 });
    this.#http.on("request", (request, response) => {
      request.resume();
      const outcome = this.#ask(request);
      const status = typeof outcome === "number" ? outcome : 400;
      const { headers, body } = refusal(status);
      response.writeHead(status, headers);
      response.end(body);
    });
    this.#http.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#http.on("clientError", (_error, socket) => socket.destroy());
  }

  enter(socket: Socket): void {
    socket.on("error", () => {});
    const timer = setTimeout(() => socket.destroy(), this.#settings.handshakeTimeout);
    this.#waiting.set(socket, timer);
    socket.on("close", () => this.#leave(socket));
    const context = this.#settings.tls();
    if (context === undefined) {
      this.#http.emit("connection", socket);
      socket.resume();
      return;
    }
    assert(context instanceof NodeTlsContext, "a TLS context belongs to its runtime");
    const remote = remoteOf(socket);
    const tls = context.handshake(socket, (outcome) => {
      if ("failure" in outcome) {
        this.#handler.failed(remote, outcome.failure.message);
      } else if (!this.#handler.trusts(outcome.facts)) {
        this.#handler.failed(remote, "certificate not pinned");
        tls.destroy();
      } else {
        this.#facts.set(tls, outcome.facts);
        this.#http.emit("connection", tls);
      }
    });
    this.#plain.set(tls, socket);
  }

  #leave(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket));
    this.#waiting.delete(socket);
  }

  /** Ends those that have not been upgraded. */
  shut(): void {
    for (const socket of [...this.#waiting.keys()]) socket.destroy();
  }

  #ask(request: IncomingMessage): U | number {
    const asked: UpgradeRequest = {
      method: request.method ?? "",
      target: request.url ?? "",
      secure: request.socket instanceof TLSSocket,
      header: (name) => request.headersDistinct[name.toLowerCase()] ?? [],
    };
    return this.#handler.upgrade(asked, remoteOf(request.socket));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => {});
    const outcome = this.#ask(request);
    if (typeof outcome === "number") {
      const { headers, body } = refusal(outcome);
      const lines = Object.entries({ ...headers, Connection: "close" }).map((pair) => pair.join(": "));
      socket.end(`HTTP/1.1 ${outcome} ${STATUS_CODES[outcome]}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
      return;
    }
    // What comes before the answer is not a client's.
    if (head.length > 0) {
      socket.destroy();
      return;
    }
    this.#leave(this.#plain.get(socket) ?? socket);
    this.#switch(request, socket, outcome);
  }

  /** Has `ws` answer the request, whose rules have been checked: it sees only what it is to agree to. */
  #switch(request: IncomingMessage, socket: Socket, upgrade: U): void {
    const { headers } = request;
    headers.upgrade = "websocket";
    headers["sec-websocket-version"] = "13";
    delete headers["sec-websocket-protocol"];
    delete headers["sec-websocket-extensions"];
    if (upgrade.compress) headers["sec-websocket-extensions"] = DEFLATE_OFFER;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      skipUTF8Validation: true,
      maxPayload: upgrade.maxMessage,
      perMessageDeflate: upgrade.compress && {
        threshold: COMPRESS_ABOVE + 1,
        zlibDeflateOptions: { level: COMPRESS_LEVEL },
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      },
    });
    server.on("headers", (lines: string[]) => {
      for (const [name, value] of upgrade.headers) lines.push(`${name}: ${value}`);
    });
    server.handleUpgrade(request, socket, Buffer.alloc(0), (websocket) => {
      this.#handler.accept(new WebsocketLink(websocket, socket, upgrade), upgrade, this.#facts.get(socket));
    });
  }
}

/** The answer to a request that is refused: what Go's `http.Error` writes. */
function refusal(status: number): { headers: Record<string, string>; body: string } {
  const body = `${STATUS_CODES[status]}\n`;
  return {
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Sec-Websocket-Version": "13",
      "X-Content-Type-Options": "nosniff",
      Date: new Date().toUTCString(),
      "Content-Length": String(Buffer.byteLength(body)),
    },
    body,
  };
}

function remoteOf(socket: Socket): string {
  const host = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return `${host.includes(":") ? `[${host}]` : host}:${socket.remotePort ?? 0}`;
}
