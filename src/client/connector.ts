import type { Timer } from "../seams/clock.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { DEFAULT_HOST, DEFAULT_PORT, errors } from "./core.ts";
import { greet } from "./greeting.ts";
import { IN_PROCESS, type KnownServer, serverNamed } from "./known-server.ts";
import type { Settings } from "./options.ts";
import { isRefusal } from "./server-errors.ts";
import { ServerPool } from "./server-pool.ts";
import type { ClientSession } from "./session.ts";
import { dialTarget, targetsOf } from "./target.ts";

/** Finds a server that takes the client: the first time, and whenever the connection is lost. */
export class Connector {
  readonly pool: ServerPool;
  readonly #settings: Settings;
  readonly #runtime: ClientRuntime;
  readonly #session: ClientSession;
  readonly #delay: () => number;
  #stopped = false;
  #lastRefusal: string | undefined;
  #pause: (() => void) | undefined;

  /** @throws errors.InvalidArgumentError when the servers cannot be read, or not be reached from here. */
  constructor(settings: Settings, runtime: ClientRuntime, session: ClientSession) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#session = session;
    this.#delay = delayOf(settings, runtime);
    this.pool = poolOf(settings, runtime);
  }

  /**
   * Tries servers until one takes the client. Rejects when none is left, or the server refuses it twice in the same words.
   * @param atOnce - the first attempt need not wait, however short a time ago the server was tried.
   */
  async run(atOnce: boolean): Promise<void> {
    const { pool } = this;
    let failure: Error | undefined;
    let hurry = atOnce;
    // The first time, each server is tried once; unless the user wants to wait for one.
    let left =
      this.#session.everAccepted || this.#settings.waitOnFirstConnect
        ? Number.POSITIVE_INFINITY
        : pool.servers.length;
    while (!this.#stopped) {
      if (pool.servers.length === 0 || left === 0)
        throw failure ?? new errors.ConnectionError("connection refused");
      const wait = hurry ? 0 : this.#delay();
      const now = this.#runtime.clock.now();
      const next = pool.select(now, wait);
      if (next === undefined) {
        await this.#sleep(Math.min(wait, pool.untilDue(now, wait)));
        continue;
      }
      hurry = false;
      const server = await this.#chosen(next);
      if (this.#stopped) break;
      try {
        await this.#try(server);
        this.#lastRefusal = undefined;
        server.didConnect = true;
        server.reconnects = 0;
        return;
      } catch (error) {
        failure = error as Error;
        left -= 1;
        this.#failed(server, failure);
        // What fails at once may be tried again at once: others have their turn before.
        await new Promise<void>((resolve) => this.#runtime.tasks.later(resolve));
      }
    }
    throw failure ?? new errors.ClosedConnectionError();
  }

  /** The connection is closed: tries no more. */
  stop(): void {
    this.#stopped = true;
    this.#pause?.();
    this.#session.giveUp(() => new errors.ClosedConnectionError());
  }

  /** The server has told of others. */
  discover(urls: readonly string[]): void {
    const { messagePort, inProcessServer, ignoreClusterUpdates } = this.#settings;
    if (ignoreClusterUpdates || messagePort !== undefined || inProcessServer !== undefined) return;
    const changes = this.pool.discover(urls);
    if (changes !== undefined) this.#session.listeners.tell({ type: "update", ...changes });
  }

  /** The server that the user's handler wants, after the delay that it wants. */
  async #chosen(server: KnownServer): Promise<KnownServer> {
    const { pool } = this;
    const { reconnectToServer } = this.#settings;
    if (reconnectToServer === undefined) return server;
    let found: KnownServer | undefined;
    let delay = 0;
    try {
      const answer = reconnectToServer(pool.snapshot(server), this.#session.serverInfo ?? null);
      const timed = answer !== null && "delay" in answer && "server" in answer;
      const picked = timed ? answer.server : answer;
      if (timed) delay = finite(answer.delay);
      found = picked === null ? server : pool.find(picked.listen);
      if (found === undefined) throw new Error("returned server is not in the pool");
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      throw new errors.ConnectionError(`client option reconnectToServer handler failed: ${cause.message}`, {
        cause,
      });
    }
    pool.choose(found);
    if (delay >= 1) await this.#sleep(Math.floor(delay));
    return found;
  }

  async #try(server: KnownServer): Promise<void> {
    const { timeout } = this.#settings;
    const { clock } = this.#runtime;
    server.lastConnect = clock.now();
    let failure: unknown;
    const looked = targetsOf(server, this.#settings, this.#runtime);
    for (const target of Array.isArray(looked) ? looked : await this.#inTime(looked)) {
      if (this.#stopped) break;
      const timer = clock.after(timeout, () => this.#session.giveUp(() => new errors.TimeoutError()));
      try {
        return await this.#session.attempt((attempt) =>
          this.#settings.inProcessServer !== undefined
            ? this.#session.greetHere(attempt)
            : greet(
                dialTarget(target, this.#settings, this.#runtime),
                target,
                attempt,
                this.#settings,
                this.#runtime,
                this.#session,
              ),
        );
      } catch (error) {
        failure = error;
      } finally {
        timer.cancel();
      }
    }
    throw failure ?? new errors.ConnectionError(`no address of ${server.hostname} is known`);
  }

  async #inTime<T>(promise: Promise<T>): Promise<T> {
    const late = this.#sleep(this.#settings.timeout).then(() => {
      throw new errors.TimeoutError();
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      late.catch(() => {});
      this.#pause?.();
    }
  }

  /** @throws the error, when the server says for the second time in a row that it does not take the client. */
  #failed(server: KnownServer, error: Error): void {
    const { everAccepted } = this.#session;
    const { waitOnFirstConnect, maxReconnectAttempts, ignoreAuthErrorAbort } = this.#settings;
    const refusal = isRefusal(error) ? error.message : undefined;
    const again = refusal !== undefined && refusal === this.#lastRefusal;
    this.#lastRefusal = refusal;
    if (!everAccepted && !waitOnFirstConnect) return;
    if (again && !ignoreAuthErrorAbort) throw error;
    if (!everAccepted) return;
    server.reconnects += 1;
    if (maxReconnectAttempts !== -1 && server.reconnects >= maxReconnectAttempts) this.pool.remove(server);
  }

  #sleep(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pause = undefined;
        resolve();
      };
      const timer: Timer = this.#runtime.clock.after(Math.max(1, delay), end);
      this.#pause = end;
      if (this.#stopped) end();
    });
  }
}

/** How long (ms) it is until a server is tried again, each time. */
export function delayOf(settings: Settings, { random }: ClientRuntime): () => number {
  const { reconnectDelayHandler, reconnectTimeWait, reconnectJitter, reconnectJitterTLS, tls } = settings;
  if (reconnectDelayHandler !== undefined) return () => finite(reconnectDelayHandler());
  const jitter = tls ? reconnectJitterTLS : reconnectJitter;
  return () => reconnectTimeWait + Math.floor(random.fraction() * (jitter + 1));
}

/** A delay that a program gives: 0 when it is none. */
function finite(delay: number): number {
  return Number.isFinite(delay) && delay > 0 ? delay : 0;
}

/**
 * The servers that the options give.
 * @throws errors.InvalidArgumentError
 */
export function poolOf(settings: Settings, runtime: ClientRuntime): ServerPool {
  const { inProcessServer, messagePort, dial, noRandomize } = settings;
  // Where there are only WebSockets, a server without a scheme is taken for one, as by the official client.
  const tcp = dial !== undefined || runtime.dial !== undefined;
  const pool = new ServerPool(noRandomize ? undefined : runtime.random, tcp ? "nats" : "wss");
  if (inProcessServer !== undefined) pool.add(serverNamed(IN_PROCESS));
  else if (messagePort !== undefined) pool.add(serverNamed("message-port"));
  else pool.replace(serversOf(settings));
  for (const { src, scheme, port } of pool.servers) {
    if (tcp || port === 0 || scheme.startsWith("ws")) continue;
    const why = `cannot be reached from here: "${src}": only "ws" and "wss" can`;
    throw errors.InvalidArgumentError.format("servers", why);
  }
  return pool;
}

function serversOf({ servers, port }: Settings): string[] {
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))
    throw errors.InvalidArgumentError.format("port", "must be a whole number from 1 to 65535");
  if (port !== undefined || !servers?.length) return [`${DEFAULT_HOST}:${port ?? DEFAULT_PORT}`];
  return typeof servers === "string" ? [servers] : servers;
}
