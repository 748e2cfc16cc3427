import type { Timer } from "../seams/clock.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { errors, type Server, type ServerInfo } from "./core.ts";
import { type Target, targetsOf } from "./dial.ts";
import type { Settings } from "./options.ts";
import type { PooledServer } from "./server-pool.ts";

/** What a {@link Connector} makes connections with. */
export interface Attempts {
  /** What the last server has said of itself. */
  readonly serverInfo: ServerInfo | undefined;
  /** Resolves once the server has accepted the client; rejects with why it has not. */
  attempt(target: Target): Promise<void>;
  /** Gives up the attempt under way. */
  giveUp(error: Error): void;
  /** An attempt begins. */
  trying(): void;
}

/** Finds a server that takes the client: the first time, and whenever the connection is lost. */
export class Connector {
  readonly #settings: Settings;
  readonly #runtime: ClientRuntime;
  readonly #attempts: Attempts;
  #everConnected = false;
  #stopped = false;
  #lastRefusal: string | undefined;
  #pause: { timer: Timer; end: () => void } | undefined;

  constructor(settings: Settings, runtime: ClientRuntime, attempts: Attempts) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#attempts = attempts;
  }

  /**
   * Tries servers until one takes the client. Rejects when none is left, or the server refuses it twice in the same words.
   * @param atOnce - the first attempt need not wait, however short a time ago the server was tried.
   */
  async run(atOnce = false): Promise<void> {
    const { pool, reconnectDelay } = this.#settings;
    let failure: Error | undefined;
    let hurry = atOnce;
    // The first time, each server is tried once; unless the user wants to wait for one.
    let left =
      this.#everConnected || this.#settings.waitOnFirstConnect
        ? Number.POSITIVE_INFINITY
        : pool.servers.length;
    while (!this.#stopped) {
      if (pool.servers.length === 0 || left === 0)
        throw failure ?? new errors.ConnectionError("connection refused");
      const wait = hurry ? 0 : reconnectDelay();
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
        this.#connected(server);
        return;
      } catch (error) {
        failure = error as Error;
        left -= 1;
        this.#failed(server, failure);
      }
    }
    throw failure ?? new errors.ClosedConnectionError();
  }

  /** The connection is closed: tries no more. */
  stop(): void {
    this.#stopped = true;
    this.#pause?.end();
    this.#attempts.giveUp(new errors.ClosedConnectionError());
  }

  /** The server that the user's handler wants, after the delay that it wants. */
  async #chosen(server: PooledServer): Promise<PooledServer> {
    const { pool, reconnectToServer } = this.#settings;
    if (reconnectToServer === undefined) return server;
    let picked: Server | null | undefined;
    let delay = 0;
    let found: PooledServer | undefined;
    try {
      const answer = reconnectToServer(pool.snapshot(server), this.#attempts.serverInfo ?? null);
      if (answer !== null && "server" in answer && "delay" in answer) {
        picked = answer.server;
        delay = Number.isFinite(answer.delay) && answer.delay > 0 ? Math.floor(answer.delay) : 0;
      } else {
        picked = answer;
      }
      found = picked === null ? server : pool.find(picked.listen);
      if (found === undefined) throw new Error("returned server is not in the pool");
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      throw new errors.ConnectionError(`client option reconnectToServer handler failed: ${cause.message}`, {
        cause,
      });
    }
    pool.choose(found);
    if (delay > 0) await this.#sleep(delay);
    return found;
  }

  async #try(server: PooledServer): Promise<void> {
    const { clock } = this.#runtime;
    server.lastConnect = clock.now();
    let failure: unknown;
    const looked = targetsOf(server, this.#settings, this.#runtime);
    for (const target of Array.isArray(looked) ? looked : await this.#inTime(looked)) {
      if (this.#stopped) break;
      this.#attempts.trying();
      const timer = clock.after(this.#settings.timeout, () =>
        this.#attempts.giveUp(new errors.TimeoutError()),
      );
      try {
        return await this.#attempts.attempt(target);
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
      this.#pause?.end();
    }
  }

  #connected(server: PooledServer): void {
    this.#everConnected = true;
    this.#lastRefusal = undefined;
    server.didConnect = true;
    server.reconnects = 0;
  }

  /** @throws the error, when the server says for the second time in a row that it does not take the client. */
  #failed(server: PooledServer, error: Error): void {
    const { pool, waitOnFirstConnect, maxReconnectAttempts, ignoreAuthErrorAbort } = this.#settings;
    const refusal = isRefusal(error) ? error.message : undefined;
    const again = refusal !== undefined && refusal === this.#lastRefusal;
    this.#lastRefusal = refusal;
    if (!this.#everConnected && !waitOnFirstConnect) return;
    if (again && !ignoreAuthErrorAbort) throw error;
    if (!this.#everConnected) return;
    server.reconnects += 1;
    if (maxReconnectAttempts !== -1 && server.reconnects >= maxReconnectAttempts) pool.remove(server);
  }

  #sleep(delay: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause?.timer.cancel();
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: this.#runtime.clock.after(Math.max(1, delay), end), end };
      if (this.#stopped) end();
    });
  }
}

/** Whether it says that the server does not take the client for who it says it is. */
export function isRefusal(error: Error): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}
