import type { JetStream } from "../../jetstream/jetstream.ts";
import { API_LEVEL } from "../../seams/version.ts";
import type { JetStreamOptions } from "../options/types.ts";
import { nanoseconds, orOmit } from "./go-format.ts";

/** nats-server shows this where it syncs always, too. */
const SYNC_INTERVAL_MS = 120_000;

/** What JetStream uses of the server (nats-server `JetStreamStats`). */
export function jetstreamStats({ usage, accounts, api }: JetStream) {
  const { total, errors, inflight } = api.stats;
  return {
    memory: Math.max(0, usage.used.memory),
    storage: Math.max(0, usage.used.file),
    reserved_memory: usage.reserved.memory,
    reserved_storage: usage.reserved.file,
    accounts: accounts.size,
    ha_assets: 0,
    api: { level: API_LEVEL, total, errors, inflight: orOmit(inflight) },
  };
}

/** How JetStream works here (nats-server `JetStreamConfig`). */
export function jetstreamConfig({ settings }: JetStream) {
  const { maxMemory, maxFile, directory, sync, domain, strict } = settings;
  return {
    max_memory: maxMemory,
    max_storage: maxFile,
    store_dir: directory,
    sync_interval: nanoseconds(sync === "always" ? SYNC_INTERVAL_MS : sync),
    sync_always: orOmit(sync === "always"),
    domain: orOmit(domain),
    compress_ok: true,
    strict: orOmit(strict),
  };
}

/** What the options limit of JetStream; the defaults are left out (nats-server `JSLimitOpts`). */
export function jetstreamLimits({ limits = {} }: JetStreamOptions) {
  const { maxRequestBatch, maxAckPending, duplicateWindow = 0, batch = {} } = limits;
  return {
    max_request_batch: orOmit(maxRequestBatch),
    max_ack_pending: orOmit(maxAckPending),
    max_duplicate_window: orOmit(nanoseconds(duplicateWindow)),
    max_batch_inflight_per_stream: orOmit(batch.maxInflightPerStream),
    max_batch_inflight_total: orOmit(batch.maxInflightTotal),
    max_batch_size: orOmit(batch.maxMsgs),
    max_batch_timeout: orOmit(nanoseconds(batch.timeout ?? 0)),
  };
}

/** JetStream in a view of the server; nothing where it is off (nats-server `JetStreamVarz`). */
export function jetstreamVarz(jetstream: JetStream | undefined, options: JetStreamOptions | undefined) {
  if (jetstream === undefined) return undefined;
  return {
    config: jetstreamConfig(jetstream),
    stats: jetstreamStats(jetstream),
    limits: jetstreamLimits(options ?? {}),
  };
}
