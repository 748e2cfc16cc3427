import type { ClosedReason } from "../protocol/closed-reason.ts";
import { decodePayload } from "../protocol/text.ts";
import type { ClientLink, TlsClientOptions } from "../seams/dial.ts";
import type { ByteLinkHandler } from "../seams/link.ts";

/** A link that shows what it carries, for the option `debug`: "<" for what is sent, ">" for what comes, as the official client does. */
export class DebugLink implements ClientLink {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly secure: ClientLink["secure"];
  readonly #link: ClientLink;
  readonly #print: (line: string) => void;

  constructor(link: ClientLink, print: (line: string) => void) {
    this.#link = link;
    this.#print = print;
    this.remoteHost = link.remoteHost;
    this.remotePort = link.remotePort;
    this.secure = link.secure && ((options: TlsClientOptions, name: string) => link.secure!(options, name));
  }

  get encrypted(): boolean | undefined {
    return this.#link.encrypted;
  }

  get unsent(): number | undefined {
    return this.#link.unsent;
  }

  start(handler: ByteLinkHandler): void {
    this.#link.start({
      data: (bytes) => {
        this.#show(">", bytes);
        handler.data(bytes);
      },
      drained: () => handler.drained(),
      closed: (error) => handler.closed(error),
    });
  }

  write(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) this.#show("<", part);
    return this.#link.write(parts);
  }

  hold(held: boolean): void {
    this.#link.hold(held);
  }

  end(reason: ClosedReason): void {
    this.#link.end(reason);
  }

  destroy(): void {
    this.#link.destroy();
  }

  #show(direction: string, bytes: Uint8Array): void {
    const text = decodePayload(bytes, 0, bytes.length).replace(/\r/g, "␍").replace(/\n/g, "␊");
    this.#print(`${direction} ${text}`);
  }
}
