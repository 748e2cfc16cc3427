import { createHash } from "node:crypto";
import {
  type Disk,
  DiskError,
  type DiskErrorKind,
  type DiskFile,
  type DiskLock,
} from "../../src/seams/disk.ts";

/** Writes are torn at multiples of this many bytes. */
const SECTOR = 512;

/** A write, a lengthening or a cut that no sync has covered. */
type Change = { readonly at: number; readonly bytes: Uint8Array } | { readonly size: number };

/** A file's content: what is synced, and what is not. */
class Node {
  synced: Uint8Array = new Uint8Array(0);
  changes: Change[] = [];

  get content(): Uint8Array {
    return this.changes.reduce(applied, this.synced);
  }
}

function applied(content: Uint8Array, change: Change): Uint8Array {
  const size = "size" in change ? change.size : Math.max(content.length, change.at + change.bytes.length);
  const next = new Uint8Array(size);
  next.set(content.subarray(0, size));
  if ("at" in change) next.set(change.bytes, change.at);
  return next;
}

/** Directory entries, and what was done to them since the directory was synced. */
interface Entries {
  synced: Map<string, Node>;
  changes: { readonly name: string; readonly node: Node | undefined; readonly gone?: string }[];
}

/** Decides what a crash keeps: a number from 0 up to but not including `options`. */
export type Choose = (options: number) => number;

/**
 * A disk that knows what is on it for good. {@link crash} makes the disk that a power cut may leave: each sector of each write, each size and each
 * directory entry that no sync has covered may be there or not, in any mixture.
 */
export class SimulatedDisk implements Disk {
  /** How many calls there have been that may change something or fail. */
  calls = 0;
  /** Asked before each such call; an error fails it. @param name - such as "write". */
  before: ((call: number, name: string, path: string) => DiskErrorKind | undefined) | undefined;
  /** How long each such call takes, if more than a turn. */
  pause: ((name: string, path: string) => Promise<void> | undefined) | undefined;
  /** How many files are open. */
  opened = 0;
  #directories = new Map<string, Entries>();
  readonly #locks = new Set<string>();
  /** Set by {@link halt}: nothing comes through any more. */
  #halted = false;

  /** From now on every call waits forever, as when the power is cut. */
  halt(): void {
    this.#halted = true;
  }

  /** What is left after the power was cut. */
  crash(choose: Choose): SimulatedDisk {
    const after = new SimulatedDisk();
    const survivors = new Map<Node, Node>();
    for (const [directory, entries] of this.#directories) {
      const kept = new Map(entries.synced);
      for (const { name, node, gone } of entries.changes) {
        if (choose(2) === 0) continue;
        if (gone !== undefined) kept.delete(gone);
        if (node === undefined) kept.delete(name);
        else kept.set(name, node);
      }
      const synced = new Map<string, Node>();
      for (const [name, node] of kept) {
        let survivor = survivors.get(node);
        if (survivor === undefined) survivors.set(node, (survivor = survive(node, choose)));
        synced.set(name, survivor);
      }
      after.#directories.set(directory, { synced, changes: [] });
    }
    return after;
  }

  /** All that there is and that a crash may leave, as one text: two disks with the same have the same crashes. */
  fingerprint(): string {
    const hash = createHash("sha1");
    const numbers = new Map<Node, number>();
    const number = (node: Node | undefined): string => {
      if (node === undefined) return "-";
      let known = numbers.get(node);
      if (known === undefined) {
        numbers.set(node, (known = numbers.size));
        hash.update(node.synced);
        for (const change of node.changes) {
          if ("size" in change) hash.update(`size ${change.size}`);
          else hash.update(`at ${change.at} ${change.bytes.length} `).update(change.bytes);
        }
      }
      return String(known);
    };
    for (const [directory, { synced, changes }] of this.#directories) {
      hash.update(`directory ${directory}\n`);
      for (const [name, node] of synced) hash.update(`${name} ${number(node)}\n`);
      for (const { name, node, gone } of changes) hash.update(`${name} ${number(node)} ${gone}\n`);
    }
    return hash.digest("base64");
  }

  /** All files: path and content. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    for (const [directory, entries] of this.#directories) {
      for (const [name, node] of current(entries)) files.set(`${directory}/${name}`, node.content);
    }
    return files;
  }

  /** A disk with the same files, all of it synced, but for one whose content is another. */
  copy(path?: string, content?: Uint8Array): SimulatedDisk {
    const copy = new SimulatedDisk();
    for (const [directory, entries] of this.#directories) {
      const synced = new Map<string, Node>();
      for (const [name, old] of current(entries)) {
        const node = new Node();
        node.synced = `${directory}/${name}` === path ? content! : new Uint8Array(old.content);
        synced.set(name, node);
      }
      copy.#directories.set(directory, { synced, changes: [] });
    }
    return copy;
  }

  async #enter(name: string, path: string): Promise<void> {
    this.calls += 1;
    const kind = this.before?.(this.calls, name, path);
    // A call takes a turn, as on a real disk.
    await this.pause?.(name, path);
    if (this.#halted) await new Promise<never>(() => {});
    if (kind !== undefined) throw new DiskError(kind, `${name} ${path}: ${kind}`);
  }

  #entries(directory: string): Entries {
    const entries = this.#directories.get(directory);
    if (entries === undefined) throw new DiskError("missing", `${directory}: no such directory`);
    return entries;
  }

  async open(path: string, create: boolean): Promise<DiskFile> {
    if (create) await this.#enter("open", path);
    const entries = this.#entries(directoryOf(path));
    const name = nameOf(path);
    let node = current(entries).get(name);
    if (node === undefined) {
      if (!create) throw new DiskError("missing", `${path}: no such file`);
      node = new Node();
      entries.changes.push({ name, node });
    }
    this.opened += 1;
    return new SimulatedFile(
      node,
      (call) => this.#enter(call, path),
      () => {
        this.opened -= 1;
      },
    );
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#enter("rename", from);
    const entries = this.#entries(directoryOf(from));
    const node = current(entries).get(nameOf(from));
    if (node === undefined) throw new DiskError("missing", `${from}: no such file`);
    entries.changes.push({ name: nameOf(to), node, gone: nameOf(from) });
  }

  async unlink(path: string): Promise<void> {
    await this.#enter("unlink", path);
    const entries = this.#entries(directoryOf(path));
    if (!current(entries).has(nameOf(path))) throw new DiskError("missing", `${path}: no such file`);
    entries.changes.push({ name: nameOf(path), node: undefined });
  }

  async list(directory: string): Promise<string[]> {
    const entries = this.#directories.get(directory);
    const names = entries === undefined ? [] : [...current(entries).keys()];
    for (const path of this.#directories.keys()) {
      if (directoryOf(path) === directory) names.push(nameOf(path));
    }
    return names;
  }

  async makeDirectory(directory: string): Promise<void> {
    // Directories last at once: their making is not what is tested.
    const parts = directory.split("/");
    for (let i = 1; i <= parts.length; i++) {
      const path = parts.slice(0, i).join("/");
      if (!this.#directories.has(path)) this.#directories.set(path, { synced: new Map(), changes: [] });
    }
  }

  async keepDirectory(_directory: string): Promise<void> {}

  async removeDirectory(directory: string): Promise<void> {
    if (!this.#directories.delete(directory))
      throw new DiskError("missing", `${directory}: no such directory`);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#enter("syncDirectory", directory);
    const entries = this.#entries(directory);
    entries.synced = current(entries);
    entries.changes = [];
  }

  async lock(path: string): Promise<DiskLock> {
    if (this.#locks.has(path)) throw new DiskError("locked", `${path}: in use`);
    this.#locks.add(path);
    return { release: async () => void this.#locks.delete(path) };
  }
}

class SimulatedFile implements DiskFile {
  readonly #node: Node;
  readonly #enter: (call: string) => Promise<void>;
  readonly #closed: () => void;
  #isOpen = true;

  constructor(node: Node, enter: (call: string) => Promise<void>, closed: () => void) {
    this.#node = node;
    this.#enter = enter;
    this.#closed = closed;
  }

  async size(): Promise<number> {
    return this.#node.content.length;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await Promise.resolve();
    if (!this.#isOpen) throw new DiskError("failed", "the file is closed");
    const part = this.#node.content.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await this.#write(bytes, position);
  }

  async #write(bytes: Uint8Array, position: number): Promise<Change> {
    const change = { at: position, bytes: new Uint8Array(bytes) };
    try {
      await this.#enter("write");
    } catch (error) {
      // A write that fails may have come through in part.
      const half = bytes.length >> 1;
      if (half > 0) this.#node.changes.push({ at: position, bytes: change.bytes.subarray(0, half) });
      throw error;
    }
    this.#node.changes.push(change);
    return change;
  }

  async endSyncedWrites(): Promise<void> {}

  async writeSynced(parts: readonly Uint8Array[], position: number): Promise<void> {
    const written: Change[] = [];
    for (const part of parts) {
      written.push(await this.#write(part, position));
      position += part.length;
    }
    await this.#enter("sync");
    this.#settle(written);
  }

  /** Changes are there for good, but for those that another call has settled meanwhile. */
  #settle(settled: readonly Change[]): void {
    const { changes } = this.#node;
    for (const change of settled) {
      const at = changes.indexOf(change);
      if (at < 0) continue;
      changes.splice(at, 1);
      this.#node.synced = applied(this.#node.synced, change);
    }
  }

  async sync(): Promise<void> {
    const covered = [...this.#node.changes];
    await this.#enter("sync");
    this.#settle(covered);
  }

  async truncate(size: number): Promise<void> {
    await this.#enter("truncate");
    this.#node.changes.push({ size });
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#closed();
    this.#isOpen = false;
  }
}

/** What a crash leaves of a file. */
function survive(node: Node, choose: Choose): Node {
  const after = new Node();
  let content = node.synced;
  for (const change of node.changes) {
    if ("size" in change) {
      if (choose(2) === 1) content = applied(content, change);
      continue;
    }
    const { at, bytes } = change;
    // The file may have become longer, and what should be there may have stayed zeros.
    if (at + bytes.length > content.length && choose(2) === 1) {
      content = applied(content, { size: at + bytes.length });
    }
    for (let from = at; from < at + bytes.length; ) {
      const to = Math.min(at + bytes.length, from - (from % SECTOR) + SECTOR);
      if (choose(2) === 1)
        content = applied(content, { at: from, bytes: bytes.subarray(from - at, to - at) });
      from = to;
    }
  }
  after.synced = new Uint8Array(content);
  return after;
}

function current(entries: Entries): Map<string, Node> {
  const now = new Map(entries.synced);
  for (const { name, node, gone } of entries.changes) {
    if (gone !== undefined) now.delete(gone);
    if (node === undefined) now.delete(name);
    else now.set(name, node);
  }
  return now;
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
