import { messageOf } from "../protocol/message-of.ts";
import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import { unlinkIfThere } from "./unlink.ts";

/**
 * Writes a file under a name that ends with `.tmp`, and gives it its own, in place of what had that, once it is on disk: after a crash there is the
 * one or the other.
 * @param write - returns whether the file is to be kept.
 * @returns the same.
 * @throws DiskError (rejects) of a kind other than "full" when it may be under its name.
 */
export async function writeWhole(
  disk: Disk,
  path: string,
  write: (file: DiskFile) => Promise<boolean>,
): Promise<boolean> {
  const temporary = `${path}.tmp`;
  const file = await disk.open(temporary, true);
  let whole = false;
  try {
    // One that could not be taken away.
    await file.truncate(0);
    if (await write(file)) {
      await file.sync();
      whole = true;
    }
  } finally {
    await file.close();
    if (!whole) await unlinkIfThere(disk, temporary);
  }
  if (!whole) return false;
  await disk.rename(temporary, path);
  try {
    await disk.syncDirectory(path.slice(0, path.lastIndexOf("/")));
  } catch (error) {
    throw new DiskError("failed", messageOf(error));
  }
  return true;
}
