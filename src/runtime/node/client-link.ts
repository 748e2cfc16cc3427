import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIP, type Socket } from "node:net";
import { resolve } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import type { ClientLink, TlsClientOptions } from "../../seams/dial.ts";
import type { ByteLinkHandler } from "../../seams/link.ts";
import { SocketLink } from "./socket-link.ts";

/** A client's TCP socket, which may change to TLS. */
export class ClientSocketLink implements ClientLink {
  readonly remoteHost: string;
  readonly remotePort: number;
  #socket: Socket;
  #link: SocketLink;
  #handler: ByteLinkHandler | undefined;
  #securing = false;
  encrypted = false;

  /** @param socket - an open socket, whose reader gives what it reads to {@link received}. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.#link = new SocketLink(socket);
    this.remoteHost = this.#link.remoteHost;
    this.remotePort = this.#link.remotePort;
  }

  /** For whoever reads the socket. */
  received(bytes: Uint8Array): void {
    this.#link.received(bytes);
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    const plain = this.#link;
    this.#link.start({
      data: (bytes) => handler.data(bytes),
      drained: () => handler.drained(),
      closed: (error) => {
        // Once it is wrapped, the end is told by what wraps it.
        if (this.#link === plain && !this.#securing) handler.closed(error);
      },
    });
  }

  async secure(options: TlsClientOptions, name: string): Promise<void> {
    const settled = await tlsOptions(options, this.remoteHost, name);
    if (this.#socket.destroyed) throw new Error("the connection ended before the TLS handshake");
    this.#securing = true;
    const socket = connect({ ...settled, socket: this.#socket });
    this.#socket = socket;
    try {
      await new Promise<void>((done, refuse) => {
        socket.once("error", refuse);
        socket.once("close", () => refuse(new Error("the connection ended during the TLS handshake")));
        socket.once("secureConnect", () => {
          socket.removeAllListeners("error");
          socket.removeAllListeners("close");
          done();
        });
      });
    } catch (error) {
      socket.on("error", () => {});
      socket.destroy();
      throw error;
    }
    this.encrypted = true;
    this.#securing = false;
    this.#link = new SocketLink(socket);
    if (this.#handler !== undefined) this.#link.start(this.#handler);
    socket.on("data", (bytes) => this.#link.received(bytes));
  }

  write(parts: readonly Uint8Array[]): boolean {
    return this.#link.write(parts);
  }

  get unsent(): number {
    return this.#link.unsent;
  }

  hold(held: boolean): void {
    this.#link.hold(held);
  }

  end(): void {
    if (this.#securing) this.destroy();
    else this.#link.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/**
 * The option `tls` as Node takes it, with its files read.
 * @param host - the server's address, for a certificate that names it.
 * @param name - the server's name; "" when there is none.
 */
export async function tlsOptions(
  options: TlsClientOptions,
  host: string,
  name: string,
): Promise<ConnectionOptions> {
  const { handshakeFirst: _, caFile, certFile, keyFile, ...rest } = options;
  const [ca, cert, key] = await Promise.all([load(caFile), load(certFile), load(keyFile)]);
  const settled: ConnectionOptions = { host, ...(rest as ConnectionOptions) };
  if (name !== "" && isIP(name) === 0) settled.servername ??= name;
  if (ca !== undefined) settled.ca = ca;
  if (cert !== undefined) settled.cert = cert;
  if (key !== undefined) settled.key = key;
  return settled;
}

async function load(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined || file === "") return undefined;
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`${path} doesn't exist`);
  return readFile(path);
}
