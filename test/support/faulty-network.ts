import type { Clock } from "../../src/seams/clock.ts";
import type { ClientLink } from "../../src/seams/dial.ts";
import type { ByteLink, ByteLinkHandler } from "../../src/seams/link.ts";

/** Links in memory, on a virtual clock, that fail when they are told to: also in the middle of a message. */
export class FaultyNetwork {
  /** Attempts that are refused before one is let through. */
  refusals = 0;
  /** Bytes that the next link carries, in both directions together, until it breaks. */
  budget = Number.POSITIVE_INFINITY;
  /** Whether the link at hand carries nothing, and does not break either. */
  stuck = false;
  readonly #clock: Clock;
  readonly #fraction: () => number;
  readonly #accept: (link: ByteLink) => void;
  #link: Pair | undefined;

  /** @param accept - the server takes its end. */
  constructor(clock: Clock, fraction: () => number, accept: (link: ByteLink) => void) {
    this.#clock = clock;
    this.#fraction = fraction;
    this.#accept = accept;
  }

  /** For `Runtime.dial`. */
  readonly dial = async (): Promise<ClientLink> => {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    }
    this.#link = new Pair(this, this.#clock, this.#fraction, this.budget);
    this.budget = Number.POSITIVE_INFINITY;
    this.#accept(this.#link.server);
    return this.#link.client;
  };

  /** Breaks the link at hand, now or after some more bytes. */
  cut(after = 0): void {
    if (this.#link !== undefined) this.#link.budget = after;
    if (after === 0) this.#link?.break();
  }

  /** What stuck goes on. */
  unstick(): void {
    this.stuck = false;
    this.#link?.client.deliver();
    this.#link?.server.deliver();
  }
}

class Pair {
  readonly client: End;
  readonly server: End;
  budget: number;

  constructor(network: FaultyNetwork, clock: Clock, fraction: () => number, budget: number) {
    this.budget = budget;
    this.client = new End(this, network, clock, fraction);
    this.server = new End(this, network, clock, fraction);
    this.client.other = this.server;
    this.server.other = this.client;
  }

  break(): void {
    for (const end of [this.client, this.server]) end.over(new Error("the link broke"));
  }
}

class End implements ClientLink {
  readonly remoteHost = "192.0.2.1";
  readonly remotePort = 1;
  other!: End;
  readonly #pair: Pair;
  readonly #network: FaultyNetwork;
  readonly #clock: Clock;
  readonly #fraction: () => number;
  #handler: ByteLinkHandler | undefined;
  /** What is on its way to the other end. */
  #flying: Uint8Array[] = [];
  #planned = false;
  #held = false;
  #ending = false;
  #ended = false;

  constructor(pair: Pair, network: FaultyNetwork, clock: Clock, fraction: () => number) {
    this.#pair = pair;
    this.#network = network;
    this.#clock = clock;
    this.#fraction = fraction;
  }

  start(handler: ByteLinkHandler): void {
    this.#handler = handler;
    if (this.#ended) queueMicrotask(() => handler.closed(undefined));
    else this.other.deliver();
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#ended || this.#ending) return true;
    for (const part of parts) this.#flying.push(part.slice());
    this.#deliverLater();
    return true;
  }

  #deliverLater(): void {
    if (this.#planned) return;
    this.#planned = true;
    const delay = Math.floor(this.#fraction() * 4);
    const go = (): void => {
      this.#planned = false;
      this.deliver();
    };
    if (delay === 0) queueMicrotask(go);
    else this.#clock.after(delay, go);
  }

  /** Hands on some of what is on its way, in pieces of any size. */
  deliver(): void {
    const { other } = this;
    if (this.#network.stuck || other.#handler === undefined || other.#held) return;
    while (this.#flying.length > 0 && !this.#ended) {
      const bytes = this.#flying[0];
      const size = Math.min(1 + Math.floor(this.#fraction() * 64), bytes.length, this.#pair.budget);
      if (size === bytes.length) this.#flying.shift();
      else this.#flying[0] = bytes.subarray(size);
      this.#pair.budget -= size;
      if (size > 0) other.#handler.data(bytes.slice(0, size));
      if (this.#pair.budget <= 0) {
        this.#pair.break();
        return;
      }
      if (other.#held) return;
      if (this.#fraction() < 0.2 && this.#flying.length > 0) {
        this.#deliverLater();
        return;
      }
    }
    if (this.#ending && this.#flying.length === 0) {
      this.over(undefined);
      other.over(undefined);
    }
  }

  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.other.deliver();
  }

  end(): void {
    this.#ending = true;
    this.#deliverLater();
  }

  destroy(): void {
    this.over(undefined);
    this.other.over(undefined);
  }

  over(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flying = [];
    const handler = this.#handler;
    if (handler !== undefined) queueMicrotask(() => handler.closed(error));
  }
}
