import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The program that other runtimes run. */
export const SMOKE = join(import.meta.dirname, "smoke.mjs");

/** What it says when all is well. */
export const SAID = 'got hello\n{"status":"ok"}\n100000\nclosed\n';

/** How long (ms) it may take. */
const PATIENCE_MS = 30_000;

/** What a program says on stdout. */
export async function said(program: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: PATIENCE_MS });
  return stdout;
}
