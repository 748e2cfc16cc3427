/**
 * Values as Go writes them, so that programs that read nats-server's monitoring read this one.
 */

export { goJson, goTime } from "../../protocol/go-format.ts";

/** A duration (ms) as Go's `Duration.String`: "1h2m3.5s", "1.25ms", "300µs", "0s". */
export function goDuration(ms: number): string {
  const ns = Math.round(ms * 1e6);
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${ns / 1e3}µs`;
  if (ns < 1e9) return `${ns / 1e6}ms`;
  const minutes = Math.floor(ns / 6e10);
  const seconds = `${(ns % 6e10) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** A round trip time (ms): below a millisecond in whole microseconds. */
export function goRtt(ms: number): string {
  return goDuration(ms > 0.001 && ms < 1 ? Math.floor(ms * 1e3) / 1e3 : ms);
}

/** How long something has lasted (ms), in whole seconds: "1y2d3h4m5s" (nats-server `myUptime`). */
export function uptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const years = Math.floor(days / 365);
  let text = "";
  if (years > 0) text += `${years}y`;
  if (days > 0) text += `${days % 365}d`;
  if (hours > 0) text += `${hours % 24}h`;
  if (minutes > 0) text += `${minutes % 60}m`;
  return `${text}${seconds % 60}s`;
}

/** Milliseconds as Go counts durations in JSON. */
export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

/** The value, or nothing when it is Go's zero: what `omitempty` does. */
export function orOmit<T>(value: T): T | undefined {
  if (value === "" || value === 0 || value === false || value === undefined) return undefined;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0 ? undefined : value;
}
