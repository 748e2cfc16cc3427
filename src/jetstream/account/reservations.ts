import type { StorageType, StreamConfig } from "../stream/config.ts";

/** What a stream takes while it is changed: it must fit whether the change comes about or not. */
export function bothOf(old: StreamConfig, wanted: StreamConfig): StreamConfig {
  const subjects = [...new Set([...old.subjects, ...wanted.subjects])];
  return { ...wanted, subjects, maxBytes: Math.max(old.maxBytes, wanted.maxBytes) };
}

/** The bytes that are reserved by `max_bytes`. */
export function reservedFor(configs: readonly StreamConfig[], storage: StorageType): number {
  return configs
    .filter((config) => config.storage === storage)
    .reduce((sum, { maxBytes }) => sum + Math.max(0, maxBytes), 0);
}
