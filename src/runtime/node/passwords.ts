import { Worker } from "node:worker_threads";
import type { Passwords } from "../../seams/passwords.ts";

/**
 * bcrypt in a thread of its own, which starts with the first password: one check takes a tenth of a second of processor time, in which
 * a server must serve its other clients. Checks are made one after the other.
 */
export class WorkerPasswords implements Passwords {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, (same: boolean) => void>();
  #count = 0;

  verify(hash: string, password: string): Promise<boolean> {
    this.#worker ??= this.#start();
    this.#count += 1;
    const id = this.#count;
    // The thread keeps the program alive only while somebody waits for it.
    this.#worker.ref();
    this.#worker.postMessage({ id, hash, password });
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#failAll();
  }

  #start(): Worker {
    const worker = new Worker(SOURCE, {
      eval: true,
      workerData: import.meta.resolve("bcryptjs"),
      execArgv: [],
    });
    worker.on("message", ({ id, same }: { id: number; same: boolean }) => {
      const resolve = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      resolve?.(same);
    });
    worker.on("error", () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#failAll();
    });
    return worker;
  }

  #failAll(): void {
    for (const resolve of this.#waiting.values()) resolve(false);
    this.#waiting.clear();
  }
}

/** What runs in the thread. `$2x$` marks hashes of an old PHP; Go reads them as any other. */
const SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData);
parentPort.on("message", async ({ id, hash, password }) => {
  let same = false;
  try {
    const bcrypt = (await loaded).default;
    same = bcrypt.compareSync(password, hash.replace(/^\\$2x\\$/, "$2b$"));
  } catch {}
  parentPort.postMessage({ id, same });
});
`;
