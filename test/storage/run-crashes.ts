import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const script = join(import.meta.dirname!, "../../scripts/storage-crashes.ts");

/** Runs the scripts of up to `longest` operations from a start, in a process of its own: where tests run, every promise is followed, and here all is made of promises. */
export async function runCrashes(start: string, longest: number): Promise<string> {
  const options = ["--import", "tsx", script, `--start=${start}`, `--operations=${longest}`, "--outcomes=16"];
  return (await promisify(execFile)(process.execPath, options)).stdout;
}
