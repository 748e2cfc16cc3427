import type { ServerOptions } from "./types.ts";

/** Options with others laid over them: of listeners' addresses host and port one by one, JetStream's too; everything else as a whole. */
export function mergeOptions(under: ServerOptions, over: ServerOptions): ServerOptions {
  const merged: ServerOptions = { ...under, ...over };
  for (const name of ["listen", "http", "https"] as const) {
    if (under[name] !== undefined && over[name] !== undefined)
      merged[name] = { ...under[name], ...over[name] };
  }
  if (typeof under.jetstream === "object" && over.jetstream) {
    merged.jetstream = { ...under.jetstream, ...(over.jetstream === true ? {} : over.jetstream) };
  }
  return merged;
}
