import type { Random } from "../seams/random.ts";
import { errors, type Server } from "./core.ts";
import { isIpAddress, parseAddress, type Scheme, type ServerAddress } from "./server-address.ts";

/** A server that the connection knows. */
export interface PooledServer extends Server {
  readonly address: ServerAddress;
  /** The name for its certificate, when it is known by its IP address. */
  tlsName: string;
  /** Attempts that have failed since it was connected to last. */
  reconnects: number;
  /** When it was tried last, in ms since the epoch; 0 for never. */
  lastConnect: number;
  /** Whether another server told of it. */
  gossiped: boolean;
  didConnect: boolean;
}

/** The servers that a connection may go to, in the order it tries them: the one tried last is at the end. */
export class ServerPool {
  readonly #random: Random | undefined;
  readonly #scheme: Scheme;
  #servers: PooledServer[] = [];
  #current: PooledServer | undefined;

  /**
   * @param random - shuffles; undefined leaves the order as given.
   * @param scheme - of servers that name none.
   */
  constructor(random: Random | undefined, scheme: Scheme) {
    this.#random = random;
    this.#scheme = scheme;
  }

  get servers(): readonly PooledServer[] {
    return this.#servers;
  }

  /** The server that was chosen last. */
  get current(): PooledServer | undefined {
    return this.#current;
  }

  /**
   * Takes these servers in place of those it has; what is known of one that stays is kept.
   * @throws errors.InvalidArgumentError when there are none, or one cannot be read.
   */
  replace(servers: readonly string[]): void {
    if (!Array.isArray(servers) || servers.length === 0) {
      throw errors.InvalidArgumentError.format("servers", "cannot be empty");
    }
    const kept = new Map(this.#servers.map((server) => [server.listen, server]));
    const taken = new Map<string, PooledServer>();
    for (const text of servers) {
      if (typeof text !== "string") throw errors.InvalidArgumentError.format("servers", "must be texts");
      const address = parseAddress(text, this.#scheme);
      const known = kept.get(address.listen);
      const server = pooled(address, false);
      if (known !== undefined) {
        const { tlsName, reconnects, lastConnect, didConnect } = known;
        Object.assign(server, { tlsName, reconnects, lastConnect, didConnect });
        if (known === this.#current) this.#current = server;
      }
      taken.set(address.listen, server);
    }
    this.#servers = [...taken.values()];
    this.#shuffle(this.#servers);
  }

  /** Puts in a place that has no address: a server in this program, a port. */
  add(name: string): void {
    const address = { src: name, scheme: "nats", hostname: name, port: 0, listen: name, path: "" } as const;
    this.#servers.push(pooled({ ...address, credentials: undefined }, false));
  }

  /** The first server that was not tried in the last `wait` ms; it goes to the end. Undefined when there is none. */
  select(now: number, wait: number): PooledServer | undefined {
    const server = this.#servers.find(({ lastConnect }) => lastConnect === 0 || lastConnect + wait <= now);
    if (server !== undefined) this.choose(server);
    return server;
  }

  /** Makes a server the current one, and the last to be tried again. */
  choose(server: PooledServer): void {
    this.#servers = [...this.#servers.filter((each) => each !== server), server];
    this.#current = server;
  }

  /** How long (ms) until `select` finds one. */
  untilDue(now: number, wait: number): number {
    return Math.min(...this.#servers.map(({ lastConnect }) => lastConnect + wait - now));
  }

  remove(server: PooledServer): void {
    this.#servers = this.#servers.filter((each) => each !== server);
  }

  find(listen: string): PooledServer | undefined {
    return this.#servers.find((server) => server.listen === listen);
  }

  /** Copies of all, `first` at the head if it is given. */
  snapshot(first?: PooledServer): Server[] {
    const servers =
      first === undefined ? this.#servers : [first, ...this.#servers.filter((each) => each !== first)];
    return servers.map(
      ({ hostname, port, listen, src, tlsName, reconnects, lastConnect, gossiped, didConnect }) =>
        Object.freeze({
          hostname,
          port,
          listen,
          src,
          tlsName,
          reconnects,
          lastConnect,
          gossiped,
          didConnect,
        }),
    );
  }

  /**
   * The current server has told which addresses its cluster has: new ones come in, and those it told of before and does not
   * any more go. Undefined when nothing has changed. The name that the current one was reached by is for the certificates of the
   * new ones, too, as they are told by their addresses.
   */
  discover(urls: readonly string[]): { added: string[]; deleted: string[] } | undefined {
    const current = this.#current;
    const told = new Map<string, ServerAddress>();
    for (const url of urls) {
      try {
        const address = parseAddress(url, current?.address.scheme ?? this.#scheme);
        told.set(address.listen, { ...address, credentials: current?.address.credentials });
      } catch {
        // What a server says of others must not end the connection to it.
      }
    }
    const deleted = this.#servers.filter(
      (server) => server.gossiped && server !== current && !told.has(server.listen),
    );
    this.#servers = this.#servers.filter((server) => !deleted.includes(server));
    const tlsName = current === undefined ? "" : nameOf(current);
    const added: PooledServer[] = [];
    for (const address of told.values()) {
      if (this.find(address.listen) !== undefined || current?.listen === address.listen) continue;
      const server = pooled(address, true);
      if (isIpAddress(server.hostname)) server.tlsName = tlsName;
      added.push(server);
    }
    if (added.length === 0 && deleted.length === 0) return undefined;
    this.#servers.push(...added);
    if (added.length > 0) this.#shuffleOthers();
    return { added: added.map(({ listen }) => listen), deleted: deleted.map(({ listen }) => listen) };
  }

  /** All but the current one, which stays the last to be tried. */
  #shuffleOthers(): void {
    const others = this.#servers.filter((server) => server !== this.#current);
    this.#shuffle(others);
    this.#servers = others.length === this.#servers.length ? others : [...others, this.#current!];
  }

  #shuffle(items: unknown[]): void {
    if (this.#random === undefined) return;
    for (let i = items.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random.fraction() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
  }
}

/** The name that a server's certificate should have; "" when it is known by its address alone. */
export function nameOf({ hostname, tlsName }: PooledServer): string {
  return isIpAddress(hostname) ? tlsName : hostname;
}

function pooled(address: ServerAddress, gossiped: boolean): PooledServer {
  const { hostname, port, listen, src } = address;
  return {
    address,
    hostname,
    port,
    listen,
    src,
    tlsName: "",
    reconnects: 0,
    lastConnect: 0,
    gossiped,
    didConnect: false,
  };
}
