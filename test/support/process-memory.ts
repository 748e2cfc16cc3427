import { existsSync, readFileSync } from "node:fs";

/** Bytes of memory that a process holds, where the system tells. */
export function memoryOf(pid: number): number | undefined {
  return read(pid, "VmRSS");
}

/** The most bytes that it has ever held, where the system tells. */
export function peakMemoryOf(pid: number): number | undefined {
  return read(pid, "VmHWM");
}

function read(pid: number, row: string): number | undefined {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  return Number(new RegExp(`${row}:\\s+(\\d+)`).exec(readFileSync(file, "utf8"))![1]) * 1024;
}
