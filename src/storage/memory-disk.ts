import { type Disk, DiskError, type DiskFile, type DiskLock } from "../seams/disk.ts";

/** A disk in memory, for programs that want the file store's ways without files. It ends with the process. */
export class MemoryDisk implements Disk {
  readonly #files = new Map<string, MemoryFile>();
  readonly #directories = new Set<string>();
  readonly #locks = new Set<string>();

  async open(path: string, create: boolean): Promise<DiskFile> {
    let file = this.#files.get(path);
    if (file === undefined) {
      if (!create) throw new DiskError("missing", `${path}: no such file`);
      file = new MemoryFile();
      this.#files.set(path, file);
    }
    return file;
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) throw new DiskError("missing", `${from}: no such file`);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async unlink(path: string): Promise<void> {
    if (!this.#files.delete(path)) throw new DiskError("missing", `${path}: no such file`);
  }

  async list(directory: string): Promise<string[]> {
    const names = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      if (path.startsWith(`${directory}/`)) names.add(path.slice(directory.length + 1).split("/")[0]);
    }
    return [...names];
  }

  async makeDirectory(directory: string): Promise<void> {
    this.#directories.add(directory);
  }

  async keepDirectory(): Promise<void> {}

  async removeDirectory(directory: string): Promise<void> {
    if (!this.#directories.delete(directory))
      throw new DiskError("missing", `${directory}: no such directory`);
  }

  async syncDirectory(): Promise<void> {}

  async lock(path: string): Promise<DiskLock> {
    if (this.#locks.has(path)) throw new DiskError("locked", `${path}: in use by this process`);
    this.#locks.add(path);
    return { release: async () => void this.#locks.delete(path) };
  }
}

class MemoryFile implements DiskFile {
  #bytes = new Uint8Array(0);
  #size = 0;

  async size(): Promise<number> {
    return this.#size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const part = this.#bytes.subarray(
      Math.min(position, this.#size),
      Math.min(position + into.length, this.#size),
    );
    into.set(part);
    return part.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#reserve(position + bytes.length);
    this.#bytes.set(bytes, position);
    this.#size = Math.max(this.#size, position + bytes.length);
  }

  async endSyncedWrites(): Promise<void> {}

  async writeSynced(parts: readonly Uint8Array[], position: number): Promise<void> {
    for (const part of parts) {
      await this.write(part, position);
      position += part.length;
    }
  }

  async sync(): Promise<void> {}

  async truncate(size: number): Promise<void> {
    this.#reserve(size);
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  async close(): Promise<void> {}

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
