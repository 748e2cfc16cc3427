import { showDuration } from "../../protocol/durations.ts";
import { apiError, pedantic } from "../errors.ts";
import {
  byteLength,
  isAssetName,
  MAX_DESCRIPTION_LENGTH,
  MAX_METADATA_LENGTH,
  MAX_NAME_LENGTH,
  metadataLength,
} from "../names.ts";
import { checkSources } from "./check-sources.ts";
import { checkSubjectRules, checkSubjects } from "./check-subjects.ts";
import type { StreamConfig } from "./config.ts";
import type { StreamContext } from "./context.ts";
import { deny, type StreamDraft } from "./draft.ts";

/** How many servers may keep a stream. */
const MAX_REPLICAS = 5;
/** The shortest time that messages or their ids may be kept, in ms. */
const SHORTEST_AGE_MS = 100;
/** How long ids are remembered when nothing is said, in ms. */
const DEFAULT_DUPLICATE_WINDOW_MS = 120_000;

/** Limits of which 0, and all below -1, mean "none". */
const NO_LIMIT_FIELDS = [
  ["maxMsgs", "max_msgs"],
  ["maxMsgsPerSubject", "max_msgs_per_subject"],
  ["maxBytes", "max_bytes"],
  ["maxMsgSize", "max_msg_size"],
  ["maxConsumers", "max_consumers"],
] as const;

/**
 * Checks the configuration of a stream and puts in what was left out, in nats-server's order, so that of several faults the same is told
 * (behaviour.md D.2, `checkStreamCfg`).
 * @param literally - "pedantic": what would be put right is an error.
 * @returns the configuration that the stream gets.
 * @throws ApiError
 */
export function checkStreamConfig(
  config: StreamConfig,
  context: StreamContext,
  literally: boolean,
): StreamConfig {
  const draft: StreamDraft = { ...config };
  checkTexts(draft);
  checkReplicas(draft);
  for (const [key, name] of NO_LIMIT_FIELDS) {
    if (draft[key] >= -1 && draft[key] !== 0) continue;
    if (literally && draft[key] < -1) throw pedantic(`${name} must be set to -1`);
    draft[key] = -1;
  }
  checkAges(draft, context, literally);
  deny(draft.denyPurge && draft.allowRollupHdrs, "roll-ups require the purge permission");
  checkCounter(draft);
  checkDiscardPerSubject(draft);
  checkDeleteMarkers(draft, literally);
  checkSchedules(draft, literally);
  checkPersistMode(draft);
  checkSources(draft, context, literally);
  checkSubjects(draft);
  checkBytes(draft, context);
  checkSubjectRules(draft, literally);
  checkPlacement(draft);
  return draft;
}

function checkTexts(draft: StreamDraft): void {
  deny(!isAssetName(draft.name), "stream name is required and can not contain '.', '*', '>', '\\', '/'");
  deny(
    byteLength(draft.name) > MAX_NAME_LENGTH,
    `stream name is too long, maximum allowed is ${MAX_NAME_LENGTH}`,
  );
  deny(
    byteLength(draft.description) > MAX_DESCRIPTION_LENGTH,
    `stream description is too long, maximum allowed is ${MAX_DESCRIPTION_LENGTH}`,
  );
  deny(
    metadataLength(draft.metadata) > MAX_METADATA_LENGTH,
    `stream metadata exceeds maximum size of ${MAX_METADATA_LENGTH} bytes`,
  );
}

function checkReplicas(draft: StreamDraft): void {
  if (draft.numReplicas === 0) draft.numReplicas = 1;
  deny(draft.numReplicas > MAX_REPLICAS, `maximum replicas is ${MAX_REPLICAS}`);
  if (draft.numReplicas < 0) throw apiError(10133);
}

function checkAges(draft: StreamDraft, context: StreamContext, literally: boolean): void {
  const { maxAge } = draft;
  const limit = context.server.duplicateWindow;
  deny(maxAge < 0, "max age can not be negative");
  deny(maxAge !== 0 && maxAge < SHORTEST_AGE_MS, "max age needs to be >= 100ms");
  if (draft.duplicateWindow === 0 && draft.mirror === undefined && draft.sources.length === 0) {
    draft.duplicateWindow = defaultWindow(maxAge, limit, literally);
  }
  const window = draft.duplicateWindow;
  deny(window < 0, "duplicates window can not be negative");
  deny(maxAge !== 0 && window > maxAge, "duplicates window can not be larger then max age");
  deny(
    limit > 0 && window > limit,
    `duplicates window can not be larger then server limit of ${showDuration(limit)}`,
  );
  deny(window > 0 && window < SHORTEST_AGE_MS, "duplicates window needs to be >= 100ms");
}

function defaultWindow(maxAge: number, limit: number, literally: boolean): number {
  let window = DEFAULT_DUPLICATE_WINDOW_MS;
  if (limit > 0 && window > limit) {
    if (literally) throw pedantic("duplicate window limits are higher than current limits");
    window = limit;
  }
  if (maxAge === 0 || maxAge >= window) return window;
  if (literally) throw pedantic("duplicate window cannot be bigger than max age");
  return maxAge;
}

function checkCounter(draft: StreamDraft): void {
  if (!draft.allowMsgCounter) return;
  deny(draft.discard === "new", "counter stream cannot use discard new");
  deny(draft.allowMsgTtl, "counter stream cannot use message TTLs");
  deny(draft.allowMsgSchedules, "counter stream cannot use message schedules");
  deny(draft.retention !== "limits", "counter stream can only use limits retention");
}

/** Refusing new messages by subject needs the policy and the limit that it is about. */
export function checkDiscardPerSubject(draft: StreamDraft): void {
  if (!draft.discardNewPerSubject) return;
  deny(draft.discard !== "new", "discard new per subject requires discard new policy to be set");
  deny(draft.maxMsgsPerSubject <= 0, "discard new per subject requires max msgs per subject > 0");
}

function checkDeleteMarkers(draft: StreamDraft, literally: boolean): void {
  const ttl = draft.subjectDeleteMarkerTtl;
  deny(ttl < 0, "subject delete marker TTL must not be negative");
  if (ttl === 0) return;
  deny(ttl < 1_000, "subject delete marker TTL must be at least 1 second");
  if (!draft.allowMsgTtl) {
    deny(literally, "subject delete marker cannot be set if message TTLs are disabled");
    draft.allowMsgTtl = true;
  }
  allowRollups(draft, literally, "subject delete marker cannot be set if roll-ups are disabled");
}

function checkSchedules(draft: StreamDraft, literally: boolean): void {
  if (!draft.allowMsgSchedules) return;
  deny(draft.discard === "new", "message scheduling cannot use discard new");
  allowRollups(draft, literally, "message scheduling cannot be set if roll-ups are disabled");
}

function allowRollups(draft: StreamDraft, literally: boolean, err: string): void {
  if (draft.allowRollupHdrs) return;
  deny(literally, err);
  draft.allowRollupHdrs = true;
  draft.denyPurge = false;
}

function checkPersistMode(draft: StreamDraft): void {
  if (draft.persistMode !== "async") return;
  deny(draft.storage !== "file", "async persist mode is only supported on file storage");
  deny(draft.numReplicas > 1, "async persist mode is not supported on replicated streams");
  deny(draft.allowAtomic, "async persist mode is not supported with atomic batch publish");
}

function checkBytes(draft: StreamDraft, context: StreamContext): void {
  const { maxBytesRequired, memoryMaxStreamBytes, storeMaxStreamBytes } = context.account;
  if (maxBytesRequired && draft.maxBytes <= 0) throw apiError(10113);
  const limit = draft.storage === "memory" ? memoryMaxStreamBytes : storeMaxStreamBytes;
  if (limit > 0 && draft.maxBytes > limit) throw apiError(10122);
}

function checkPlacement(draft: StreamDraft): void {
  const { placement } = draft;
  if (placement === undefined) return;
  if (placement.cluster === "" && placement.preferred === "" && placement.tags.length === 0) {
    draft.placement = undefined;
  }
  deny(placement.preferred !== "", "preferred server not permitted in placement");
}
