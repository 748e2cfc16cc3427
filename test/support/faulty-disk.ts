import { DiskError, type DiskFile } from "../../src/seams/disk.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

/** A simulated disk whose reads can fail, or wait. */
export class FaultyDisk extends SimulatedDisk {
  /** Asked before each read: what is thrown fails it. */
  beforeRead: ((path: string) => void | Promise<void>) | undefined;

  override async open(path: string, create: boolean): Promise<DiskFile> {
    const file = await super.open(path, create);
    const read = file.read.bind(file);
    file.read = async (into, position) => {
      await this.beforeRead?.(path);
      return read(into, position);
    };
    return file;
  }

  /** From now on each read of messages fails. */
  failReads(): void {
    this.beforeRead = (path) => {
      if (path.endsWith(".log")) throw new DiskError("failed", `read ${path}: failed`);
    };
  }
}
