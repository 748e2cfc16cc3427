import { type Disk, DiskError } from "../seams/disk.ts";

/** Takes a file's name away, if it is there. @throws DiskError (rejects) */
export async function unlinkIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.unlink(path);
  } catch (error) {
    if (!(error instanceof DiskError && error.kind === "missing")) throw error;
  }
}
