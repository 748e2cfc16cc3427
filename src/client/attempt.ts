import type { ServerInfo } from "../protocol/info.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** What is awaited while a server is being greeted. */
export class Attempt {
  /** The server introduces itself. */
  readonly introduced: Deferred<ServerInfo> = deferred();
  /** The server has taken the client. */
  readonly accepted: Deferred<void> = deferred();
  #failed: Error | undefined;

  constructor() {
    // Whichever of the two is not awaited any more may fail.
    this.introduced.promise.catch(() => {});
    this.accepted.promise.catch(() => {});
  }

  /** Why it has come to nothing, if it has. */
  get failure(): Error | undefined {
    return this.#failed;
  }

  /** It has come to nothing. */
  fail(error: Error): void {
    this.#failed ??= error;
    this.introduced.reject(error);
    this.accepted.reject(error);
  }

  /** What `promise` gives, unless the attempt fails before; `late` is told what comes in vain. */
  async unlessFailed<T>(promise: Promise<T>, late: (value: T) => void): Promise<T> {
    const value = await Promise.race([promise, this.accepted.promise]).catch((error) => {
      promise.then(late, () => {});
      throw error;
    });
    if (this.#failed === undefined) return value as T;
    late(value as T);
    throw this.#failed;
  }
}
