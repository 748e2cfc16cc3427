import type { Random } from "../seams/random.ts";
import { errors, type Server } from "./core.ts";
import { factsOf, type KnownServer, knownServer } from "./known-server.ts";
import { isIpAddress, parseAddress, type Scheme, type ServerAddress } from "./server-address.ts";

/** The servers that a connection may go to, in the order it tries them: the one tried last is at the end. */
export class ServerPool {
  readonly #random: Random | undefined;
  readonly #scheme: Scheme;
  #servers: KnownServer[] = [];
  #current: KnownServer | undefined;

  /**
   * @param random - shuffles; undefined leaves the order as given.
   * @param scheme - of servers that name none.
   */
  constructor(random: Random | undefined, scheme: Scheme) {
    this.#random = random;
    this.#scheme = scheme;
  }

  get servers(): readonly KnownServer[] {
    return this.#servers;
  }

  /** The server that was chosen last. */
  get current(): KnownServer | undefined {
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
    const taken = new Map<string, KnownServer>();
    let current = this.#current;
    for (const text of servers) {
      const address = parseAddress(text, this.#scheme);
      const known = this.find(address.listen);
      const server = knownServer(address, false, known);
      if (known !== undefined && known === this.#current) current = server;
      taken.set(address.listen, server);
    }
    this.#current = current;
    this.#servers = this.#shuffled([...taken.values()]);
  }

  /** Puts a server in that has no address. */
  add(server: KnownServer): void {
    this.#servers.push(server);
  }

  /** The first server that was not tried in the last `wait` ms; it goes to the end. Undefined when there is none. */
  select(now: number, wait: number): KnownServer | undefined {
    const server = this.#servers.find(({ lastConnect }) => lastConnect === 0 || lastConnect + wait <= now);
    if (server !== undefined) this.choose(server);
    return server;
  }

  /** Makes a server the current one, and the last to be tried again. */
  choose(server: KnownServer): void {
    this.remove(server);
    this.#servers.push(server);
    this.#current = server;
  }

  /** How long (ms) until `select` finds one. */
  untilDue(now: number, wait: number): number {
    return Math.min(...this.#servers.map(({ lastConnect }) => lastConnect + wait - now));
  }

  remove(server: KnownServer): void {
    this.#servers = this.#servers.filter((each) => each !== server);
  }

  find(listen: string): KnownServer | undefined {
    return this.#servers.find((server) => server.listen === listen);
  }

  /** Copies of all, `first` at the head if it is given. */
  snapshot(first?: KnownServer): Server[] {
    const rest = this.#servers.filter((each) => each !== first);
    return (first === undefined ? rest : [first, ...rest]).map(factsOf);
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
        const address = parseAddress(url, current?.scheme ?? this.#scheme);
        told.set(address.listen, { ...address, credentials: current?.credentials });
      } catch {
        // What a server says of others must not end the connection to it.
      }
    }
    const deleted = this.#servers.filter(
      (server) => server.gossiped && server !== current && !told.has(server.listen),
    );
    for (const server of deleted) this.remove(server);
    const added = [...told.values()]
      .filter(({ listen }) => this.find(listen) === undefined && current?.listen !== listen)
      .map((address) => knownServer(address, true));
    if (added.length === 0 && deleted.length === 0) return undefined;
    for (const server of added)
      if (isIpAddress(server.hostname) && current !== undefined) server.tlsName = nameOf(current);
    // All but the current one, which stays the last to be tried.
    const last = this.#servers.filter((server) => server === current);
    const others = [...this.#servers.filter((server) => server !== current), ...added];
    this.#servers = [...(added.length > 0 ? this.#shuffled(others) : others), ...last];
    return { added: listens(added), deleted: listens(deleted) };
  }

  #shuffled<T>(items: T[]): T[] {
    for (let i = items.length - 1; this.#random !== undefined && i > 0; i--) {
      const j = Math.floor(this.#random.fraction() * (i + 1));
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

/** The name that a server's certificate should have; "" when it is known by its address alone. */
export function nameOf({ hostname, tlsName }: KnownServer): string {
  return isIpAddress(hostname) ? tlsName : hostname;
}

function listens(servers: readonly KnownServer[]): string[] {
  return servers.map(({ listen }) => listen);
}
