import { Worker } from "node:worker_threads";
import type { Passwords } from "../../seams/passwords.ts";

/** A check that waits its turn. */
interface Check {
  readonly hash: string;
  readonly password: string;
  readonly gone: () => boolean;
  readonly resolve: (same: boolean) => void;
}

/**
 * bcrypt in a thread of its own, which starts with the first password: one check takes a tenth of a second of processor time, in which
 * a server must serve its other clients. Checks are made one after the other; those of clients that have gone are left out, so that
 * nobody keeps others waiting by coming and going.
 */
export class WorkerPasswords implements Passwords {
  #worker: Worker | undefined;
  #waiting: Check[] = [];
  #current: Check | undefined;

  verify(hash: string, password: string, gone: () => boolean = () => false): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ hash, password, gone, resolve });
      this.#next();
    });
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
    this.#failAll();
  }

  /** Begins the next check that somebody waits for. */
  #next(): void {
    while (this.#current === undefined) {
      const check = this.#waiting.shift();
      if (check === undefined) {
        // The thread keeps the program alive only while somebody waits for it.
        this.#worker?.unref();
        return;
      }
      if (check.gone()) check.resolve(false);
      else this.#begin(check);
    }
  }

  #begin(check: Check): void {
    this.#current = check;
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage({ hash: check.hash, password: check.password });
  }

  #start(): Worker {
    const worker = new Worker(SOURCE, {
      eval: true,
      workerData: import.meta.resolve("bcryptjs"),
      execArgv: [],
    });
    worker.on("message", (same: boolean) => {
      const check = this.#current;
      this.#current = undefined;
      check?.resolve(same);
      this.#next();
    });
    worker.on("error", () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#failAll();
    });
    return worker;
  }

  #failAll(): void {
    const failed = this.#current === undefined ? this.#waiting : [this.#current, ...this.#waiting];
    this.#current = undefined;
    this.#waiting = [];
    for (const { resolve } of failed) resolve(false);
  }
}

/** What runs in the thread. `$2x$` marks hashes of an old PHP; Go reads them as any other. */
const SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData);
parentPort.on("message", async ({ hash, password }) => {
  let same = false;
  try {
    const bcrypt = (await loaded).default;
    same = bcrypt.compareSync(password, hash.replace(/^\\$2x\\$/, "$2b$"));
  } catch {}
  parentPort.postMessage(same);
});
`;
