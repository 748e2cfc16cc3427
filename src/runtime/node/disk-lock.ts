import { randomBytes } from "node:crypto";
import fs from "node:fs/promises";
import { hostname } from "node:os";
import { DiskError, type DiskLock } from "../../seams/disk.ts";

/** How often the holder touches its lock, in ms. */
const TOUCH_MS = 5_000;
/** A lock of another machine that was not touched for so long, in ms, has no holder. On this machine the process itself is looked for. */
const STALE_MS = 30_000;
/** How often it is tried, when others take and give back the lock meanwhile. */
const ATTEMPTS = 5;

interface Holder {
  readonly pid: number;
  /** When the process started, in the system's own terms: tells it from a later one with the same number. */
  readonly started: string;
  readonly host: string;
  readonly since: string;
  readonly token: string;
}

/**
 * Takes a lock: a file that says who has it. Node has no `flock`, so the file of a process that was killed stays, and whoever comes next sees that
 * there is no such process any more. The file is made in one step (a link), and put in a dead one's place in one (a rename).
 * @throws DiskError with kind "locked".
 */
export async function takeLock(path: string): Promise<DiskLock> {
  const holder: Holder = {
    pid: process.pid,
    started: (await startOf(process.pid)) ?? "",
    host: hostname(),
    since: new Date().toISOString(),
    token: randomBytes(8).toString("hex"),
  };
  const own = `${path}.${holder.token}`;
  const text = JSON.stringify(holder);
  await fs.writeFile(own, text);
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if ((await place(own, path)) || (await replace(own, path))) return hold(path, text);
    }
  } finally {
    await fs.rm(own, { force: true });
  }
  throw new DiskError("locked", `${path}: others are taking it at the same time`);
}

/** Puts the file in place, if there is none. */
async function place(own: string, path: string): Promise<boolean> {
  try {
    await fs.link(own, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS" && code !== "EOPNOTSUPP") throw error;
  }
  // A file system without links.
  try {
    await fs.copyFile(own, path, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Puts the file in the place of a dead holder's. Who may do so is settled by a lock of its own, so that it is one only. */
async function replace(own: string, path: string): Promise<boolean> {
  const found = await read(path);
  if (found === undefined) return false;
  await checkDead(path, found);
  const claim = await takeLock(`${path}.claim`);
  try {
    if ((await read(path)) !== found) return false;
    await fs.rename(own, path);
    return true;
  } finally {
    await claim.release();
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function checkDead(path: string, text: string): Promise<void> {
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    // Cut short by a crash of the machine: who wrote it is not running.
    return;
  }
  if (holder.host === hostname()) {
    const started = await startOf(holder.pid);
    if (started === undefined || started !== holder.started) return;
  } else if (Date.now() - (await fs.stat(path)).mtimeMs > STALE_MS) {
    return;
  }
  const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
  throw new DiskError("locked", `${path}: in use by process ${holder.pid}${where} since ${holder.since}`);
}

/** When a process started; undefined when there is none with this number. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is one, but it is not ours.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
  }
  if (process.platform !== "linux") return "";
  try {
    const stat = await fs.readFile(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; field 22 is the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function hold(path: string, text: string): DiskLock {
  const touching = setInterval(() => {
    const now = new Date();
    void fs.utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  touching.unref();
  return {
    async release() {
      clearInterval(touching);
      if ((await read(path)) === text) await fs.rm(path, { force: true });
    },
  };
}
