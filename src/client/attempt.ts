import type { ServerInfo } from "../protocol/info.ts";
import { type Deferred, deferred } from "./deferred.ts";

/** What is awaited while a server is being greeted. */
export class Attempt {
  /** The server has taken the client. */
  readonly accepted: Deferred<void> = deferred();
  /** Told what the server says of itself. */
  introduced: ((info: ServerInfo) => void) | undefined;
  /** The server has been asked whether it takes the client: its next `PONG` says so. */
  asked = false;
  /** Why it has come to nothing, if it has. */
  failure: Error | undefined;

  constructor() {
    // Whether it fails while that is awaited or not.
    this.accepted.promise.catch(() => {});
  }

  /** It has come to nothing. */
  fail(error: Error): void {
    this.failure ??= error;
    this.accepted.reject(error);
  }

  /** What `promise` gives, unless the attempt fails before; `late` is told what comes in vain. */
  async unlessFailed<T>(promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    try {
      const value = (await Promise.race([promise, this.accepted.promise])) as T;
      if (this.failure === undefined) return value;
    } catch (error) {
      this.failure ??= error as Error;
    }
    promise.then(late, () => {});
    throw this.failure;
  }
}
