import fs from "node:fs";
import { type Disk, DiskError, type DiskErrorKind, type DiskFile, type DiskLock } from "../../seams/disk.ts";
import { systemErrorText } from "./system-error.ts";

const KINDS: Readonly<Record<string, DiskErrorKind>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
  ENOENT: "missing",
  EEXIST: "occupied",
  ENOTDIR: "occupied",
};

/** The files of this machine. */
export class NodeDisk implements Disk {
  readonly #directorySyncs = new SharedRuns();
  /** Directories that were made here and do not last yet. */
  readonly #fresh = new Map<string, FreshDirectory>();
  /** The end of the last making: who finds a directory there has to know, too, that it does not last yet. */
  #making: Promise<void> = Promise.resolve();

  open(path: string, create: boolean): Promise<DiskFile> {
    const flags = fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0);
    return done<number>((callback) => fs.open(path, flags, 0o640, callback)).then((fd) => new NodeFile(fd));
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => fs.rename(from, to, callback));
  }

  unlink(path: string): Promise<void> {
    return done((callback) => fs.unlink(path, callback));
  }

  async list(directory: string): Promise<string[]> {
    try {
      return await done<string[]>((callback) => fs.readdir(directory, callback));
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return [];
      throw error;
    }
  }

  makeDirectory(directory: string): Promise<void> {
    const made = this.#making.then(() => this.#make(directory));
    this.#making = made.catch(() => {});
    return made;
  }

  async #make(directory: string): Promise<void> {
    const first = await done<string | undefined>((callback) =>
      fs.mkdir(directory, { recursive: true, mode: 0o750 }, callback),
    );
    if (first === undefined) return;
    for (let made = directory; made.length >= first.length; made = parentOf(made)) {
      this.#fresh.set(made, { kept: undefined });
    }
  }

  async keepDirectory(directory: string): Promise<void> {
    const kept: Promise<void>[] = [];
    for (let at = directory; this.#fresh.size > 0 && at !== parentOf(at); at = parentOf(at)) {
      const fresh = this.#fresh.get(at);
      if (fresh !== undefined) kept.push(this.#keep(at, fresh));
    }
    for (const each of await Promise.allSettled(kept)) if (each.status === "rejected") throw each.reason;
  }

  /** A directory is an entry of the one above it. */
  #keep(directory: string, fresh: FreshDirectory): Promise<void> {
    fresh.kept ??= this.syncDirectory(parentOf(directory)).then(
      () => {
        // By now it may be another one.
        if (this.#fresh.get(directory) === fresh) this.#fresh.delete(directory);
      },
      (error) => {
        fresh.kept = undefined;
        throw error;
      },
    );
    return fresh.kept;
  }

  async removeDirectory(directory: string): Promise<void> {
    await done<void>((callback) => fs.rmdir(directory, callback));
    this.#fresh.delete(directory);
  }

  syncDirectory(directory: string): Promise<void> {
    // Windows has no such call, and needs none.
    if (process.platform === "win32") return Promise.resolve();
    return this.#directorySyncs.run(directory, async () => {
      const fd = await done<number>((callback) => fs.open(directory, "r", callback));
      try {
        await done<void>((callback) => fs.fsync(fd, callback));
      } finally {
        await done<void>((callback) => fs.close(fd, callback));
      }
    });
  }

  async lock(path: string): Promise<DiskLock> {
    try {
      return await (await import("./disk-lock.ts")).takeLock(path);
    } catch (error) {
      throw asDiskError(error);
    }
  }
}

interface FreshDirectory {
  /** Resolves when it lasts; undefined while nobody has asked for that. */
  kept: Promise<void> | undefined;
}

/** Does something for a name again and again: of those who ask while it is being done, all share the next time. */
class SharedRuns {
  readonly #last = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();

  run(name: string, action: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting;
    const before = this.#last.get(name);
    const run = (async () => {
      await before?.catch(() => {});
      this.#waiting.delete(name);
      await action();
    })();
    this.#waiting.set(name, run);
    this.#last.set(name, run);
    const ended = (): void => {
      if (this.#last.get(name) === run) this.#last.delete(name);
    };
    run.then(ended, ended);
    return run;
  }
}

class NodeFile implements DiskFile {
  readonly #fd: number;
  /** The same file by another handle, whose writes return when they are on disk; undefined where there is none. */
  #syncing: Promise<number | undefined> | undefined;
  #syncingFd: number | undefined;
  /** Calls under way: a handle that is closed may be given to another file at once. */
  #calls = 0;
  #closing: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): Promise<number> {
    return this.#whileOpen(
      async () => (await done<fs.Stats>((callback) => fs.fstat(this.#fd, callback))).size,
    );
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#whileOpen(() => readAll(this.#fd, into, position));
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#whileOpen(() => writeAll(this.#fd, bytes, position));
  }

  writeSynced(parts: readonly Uint8Array[], position: number): Promise<void> {
    return this.#whileOpen(async () => {
      const fd = this.#syncingFd ?? (await this.#openSyncing());
      if (fd === undefined) {
        await writeParts(this.#fd, parts, position, 0);
        await done<void>((callback) => fs.fdatasync(this.#fd, callback));
        return;
      }
      const written = await done<number>((callback) => fs.writev(fd, parts, position, callback));
      // A system may take less than all.
      await writeParts(fd, parts, position, written);
    });
  }

  async #openSyncing(): Promise<number | undefined> {
    if (!CAN_SYNC_WRITES) return undefined;
    // By the handle that is open: the name may be another by now. Without a second handle it goes by two calls.
    this.#syncing ??= done<number>((callback) =>
      fs.open(`/proc/self/fd/${this.#fd}`, fs.constants.O_WRONLY | fs.constants.O_DSYNC, callback),
    ).catch(() => undefined);
    this.#syncingFd = await this.#syncing;
    if (this.#syncingFd === undefined) this.#syncing = undefined;
    return this.#syncingFd;
  }

  async endSyncedWrites(): Promise<void> {
    const syncing = this.#syncing;
    this.#syncing = this.#syncingFd = undefined;
    const fd = await syncing;
    if (fd !== undefined) await done<void>((callback) => fs.close(fd, callback));
  }

  sync(): Promise<void> {
    return this.#whileOpen(() => done((callback) => fs.fdatasync(this.#fd, callback)));
  }

  truncate(size: number): Promise<void> {
    return this.#whileOpen(() => done((callback) => fs.ftruncate(this.#fd, size, callback)));
  }

  async close(): Promise<void> {
    if (this.#closing !== undefined) return;
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      if (this.#calls === 0) resolve();
    });
    await this.endSyncedWrites();
    await done<void>((callback) => fs.close(this.#fd, callback));
  }

  async #whileOpen<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new DiskError("failed", "the file is closed");
    this.#calls += 1;
    try {
      return await call();
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) (this.#closing as (() => void) | undefined)?.();
    }
  }
}

async function readAll(fd: number, into: Uint8Array, position: number): Promise<number> {
  for (let at = 0; ; ) {
    const length = Math.min(into.length - at, MAX_CALL);
    const read =
      length === 0
        ? 0
        : await done<number>((callback) => fs.read(fd, into, at, length, position + at, callback));
    at += read;
    if (read === 0) return at;
  }
}

/** Writes what comes after the first `skipped` bytes of all parts. */
async function writeParts(
  fd: number,
  parts: readonly Uint8Array[],
  position: number,
  skipped: number,
): Promise<void> {
  let start = 0;
  for (const part of parts) {
    const from = Math.max(0, skipped - start);
    if (from < part.length) await writeAll(fd, part.subarray(from), position + start + from);
    start += part.length;
  }
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, MAX_CALL);
    at += await done<number>((callback) => fs.write(fd, bytes, at, length, position + at, callback));
  }
}

/** Elsewhere the flag is not there, or (macOS) promises less than `fdatasync`. */
const CAN_SYNC_WRITES = process.platform === "linux" && fs.constants.O_DSYNC !== undefined;

/** Systems read and write at most 2 GiB in one call. */
const MAX_CALL = 1024 * 1024 * 1024;

/** The outcome of a call with a callback, which costs less than `fs.promises`. */
function done<T>(call: (callback: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value as T);
      else reject(asDiskError(error));
    });
  });
}

function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  return new DiskError(Object.hasOwn(KINDS, code) ? KINDS[code] : "failed", systemErrorText(error));
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end > 0 ? path.slice(0, end) : end === 0 ? "/" : ".";
}
