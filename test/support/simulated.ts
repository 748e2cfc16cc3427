import { gzipSync } from "node:zlib";
import { NodeCiphers } from "../../src/runtime/node/ciphers.ts";
import type { Clock, Timer } from "../../src/seams/clock.ts";
import type { ByteLink, ByteLinkHandler } from "../../src/seams/link.ts";
import type { Runtime } from "../../src/seams/runtime.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";

/** Time that passes when the test says so. */
export class VirtualClock implements Clock {
  #time = 1_000_000;
  #timers: { at: number; order: number; action: () => void }[] = [];
  #order = 0;

  now(): number {
    return this.#time;
  }

  precise(): number {
    return Math.floor(this.#time * 1_000) / 1_000;
  }

  monotonic(): number {
    return this.#time;
  }

  after(delay: number, action: () => void): Timer {
    const timer = { at: this.#time + delay, order: this.#order++, action };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  /** How many calls are still to come. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass; calls what is due, in order, and lets each call's consequences happen. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    for (;;) {
      await settle();
      const due = this.#timers
        .filter((timer) => timer.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#time = Math.max(this.#time, due.at);
      due.action();
    }
    this.#time = end;
    await settle();
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** A runtime with a virtual clock, repeatable chance, and a network that nobody comes from. */
export function simulatedRuntime(clock: Clock = new VirtualClock(), seed = 1): Runtime {
  let state = seed;
  const fraction = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const none = (): never => {
    throw new Error("there is no network here");
  };
  return {
    clock,
    random: {
      fraction,
      fill(bytes) {
        for (let i = 0; i < bytes.length; i++) bytes[i] = fraction() * 256;
      },
    },
    tasks: { soon: (action) => queueMicrotask(action), later: (action) => queueMicrotask(action) },
    network: {
      listen: async (address) => ({ address, close: async () => {} }),
      listenHttp: none,
      listenHttps: none,
      listenSecurable: none,
      listenWebsocket: none,
      readTls: none,
    },
    host: {
      cores: 1,
      totalMemory: 2 ** 30,
      freeSpace: async () => 2 ** 40,
      memory: () => 0,
      cpu: () => 0,
    },
    platform: "simulated",
    version: "0.0.0",
    dial: none,
    dialWebSocket: none,
    duplexLink: none,
    print: () => {},
    portLink: none,
    portPair: none,
    loadDisk: async () => new MemoryDisk(),
    loadCiphers: async () => new NodeCiphers(),
    compression: { gzip: async (bytes) => gzipSync(bytes) },
    passwords: {
      verify: async (hash, password) => (await import("bcryptjs")).default.compareSync(password, hash),
      close() {},
    },
  };
}

/** The server's end of a link that the test holds the other end of: it sees each byte, and says when bytes are taken. */
export class TestLink implements ByteLink {
  readonly remoteHost = "192.0.2.1";
  readonly remotePort = 1;
  /** What the server has sent, as Latin-1 text. */
  received = "";
  receivedBytes = 0;
  /** Whether the server has stopped reading. */
  held = false;
  /** "end" after an orderly end, "destroy" after a hard one. */
  ended: "end" | "destroy" | undefined;
  /** Whether what the server sends stays where it is, as with a client that does not read. */
  stuck = false;
  /** What of that has not left. */
  unsent = 0;
  /** Whether to keep what the server sends, or only count it. */
  keep = true;
  #handler: ByteLinkHandler | undefined;

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
  }

  write(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) {
      this.receivedBytes += part.length;
      if (this.keep) this.received += Buffer.from(part).toString("latin1");
    }
    return !this.stuck;
  }

  hold(held: boolean): void {
    this.held = held;
  }

  end(): void {
    this.#finish("end");
  }

  destroy(): void {
    this.#finish("destroy");
  }

  #finish(how: "end" | "destroy"): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    this.#handler?.closed(undefined);
  }

  /** The client sends. */
  send(text: string): void {
    this.sendBytes(Buffer.from(text, "latin1"));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.ended === undefined) this.#handler?.data(bytes);
  }

  /** The client reads what the server holds for it. */
  drain(): void {
    this.#handler?.drained();
  }

  /** The client says nothing more, and may read on. */
  finish(): void {
    this.#handler?.finished?.();
  }

  /** The client goes away. */
  leave(): void {
    this.#finish("end");
  }

  /** What the server has sent since the last look. */
  look(): string {
    const { received } = this;
    this.received = "";
    return received;
  }
}
