import { API_LEVEL } from "../../seams/version.ts";
import { writeText } from "../json/scalars.ts";
import type { ApiRequest } from "./api.ts";

/** The members of the answer to `INFO`: what the account has, and may have. */
export function accountInfo({ account }: ApiRequest, inflight: number): string {
  const { context, streams, api } = account;
  const { usage, limits, domain } = context;
  const consumers = [...streams.values()].reduce((sum, stream) => sum + stream.consumers.count, 0);
  const shown = {
    max_memory: limits.maxMemory,
    max_storage: limits.maxStore,
    max_streams: limits.maxStreams,
    max_consumers: limits.maxConsumers,
    max_ack_pending: limits.maxAckPending,
    memory_max_stream_bytes: limits.memoryMaxStreamBytes || -1,
    storage_max_stream_bytes: limits.storeMaxStreamBytes || -1,
    max_bytes_required: limits.maxBytesRequired,
  };
  const calls = { level: API_LEVEL, total: api.total, errors: api.errors, inflight: inflight || undefined };
  const parts = [
    `"memory":${usage.used.memory}`,
    `"storage":${usage.used.file}`,
    `"reserved_memory":${usage.reserved.memory}`,
    `"reserved_storage":${usage.reserved.file}`,
    `"streams":${streams.size}`,
    `"consumers":${consumers}`,
    `"limits":${JSON.stringify(shown)}`,
  ];
  if (domain !== "") parts.push(`"domain":${writeText(domain)}`);
  parts.push(`"api":${JSON.stringify(calls)}`);
  return parts.join(",");
}
