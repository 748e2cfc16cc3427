import { copyOf } from "../protocol/bytes.ts";
import type { Duplex, NodeDuplex, StreamPair } from "../seams/dial.ts";
import type { ByteLink, ByteLinkHandler } from "../seams/link.ts";

/**
 * Streams as {@link ByteLink}.
 * @throws TypeError when they are neither a pair of web streams nor like Node's `Duplex`.
 */
export function duplexLink(duplex: Duplex): ByteLink {
  const given = duplex as Partial<NodeDuplex & StreamPair> | undefined;
  if (typeof given?.on === "function" && typeof given.write === "function")
    return new NodeDuplexLink(duplex as NodeDuplex);
  if (typeof given?.readable?.getReader === "function" && typeof given.writable?.getWriter === "function")
    return new StreamPairLink(duplex as StreamPair);
  throw new TypeError("option dial must give { readable, writable } of web streams, or a Duplex of Node");
}

/** A Node `Duplex`. */
class NodeDuplexLink implements ByteLink {
  readonly remoteHost = "";
  readonly remotePort = 0;
  readonly #stream: NodeDuplex;
  #handler: ByteLinkHandler | undefined;
  #error: Error | undefined;
  #ended = false;

  constructor(stream: NodeDuplex) {
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#error ??= error;
      this.#end();
    });
    stream.on("end", () => this.#end());
    stream.on("close", () => this.#end());
    stream.on("drain", () => this.#handler?.drained());
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    if (this.#ended) Promise.resolve().then(() => handler.closed(this.#error));
    else this.#stream.on("data", (bytes) => handler.data(bytes));
  }

  write(parts: readonly Uint8Array[]): boolean {
    let room = true;
    // A stream may keep what it is given for as long as it likes, and does not say when it is done with it.
    if (!this.#ended) for (const part of parts) room = this.#stream.write(copyOf(part, 0, part.length));
    return room || this.#ended;
  }

  hold(): void {}

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.destroy();
    this.#handler?.closed(this.#error);
  }
}

/** A pair of web streams. */
class StreamPairLink implements ByteLink {
  readonly remoteHost = "";
  readonly remotePort = 0;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #handler: ByteLinkHandler | undefined;
  #ended = false;
  #waiting = false;

  constructor({ readable, writable }: StreamPair) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch((error) => this.#end(error as Error));
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    if (this.#ended) Promise.resolve().then(() => handler.closed(undefined));
    else void this.#read(handler);
  }

  async #read(handler: ByteLinkHandler): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done || this.#ended) break;
        handler.data(value);
      }
      this.#end(undefined);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#ended) return true;
    for (const part of parts) this.#writer.write(copyOf(part, 0, part.length)).catch(() => {});
    if ((this.#writer.desiredSize ?? 0) > 0) return true;
    if (!this.#waiting) {
      this.#waiting = true;
      this.#writer.ready.then(
        () => {
          this.#waiting = false;
          this.#handler?.drained();
        },
        () => {},
      );
    }
    return false;
  }

  hold(): void {}

  end(): void {
    this.#writer.close().then(
      () => this.#end(undefined),
      (error) => this.#end(error as Error),
    );
  }

  destroy(): void {
    this.#end(undefined);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#writer.abort().catch(() => {});
    this.#reader.cancel().catch(() => {});
    this.#handler?.closed(error);
  }
}
