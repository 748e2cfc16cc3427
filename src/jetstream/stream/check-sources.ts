import { API_SUBJECT } from "../../broker/account.ts";
import { quote } from "../../protocol/faults.ts";
import { subjectsCollide } from "../../protocol/subject.ts";
import { type ApiError, apiError, invalidStreamConfig, pedantic } from "../errors.ts";
import { isAssetName } from "../names.ts";
import { isFilterSubject, isPublishSubject, isSubset, isWithoutWildcards } from "../subjects.ts";
import { transformFault } from "./check-subjects.ts";
import type { StreamConfig } from "./config.ts";
import type { StreamContext } from "./context.ts";
import type { StreamDraft } from "./draft.ts";
import { type ExternalStream, type StreamSource, sourceConsumerKey, sourceKey } from "./source.ts";

/** What the streams that are mirrored or sourced bring with them. */
interface Origins {
  readonly subjects: string[];
  readonly externals: ExternalStream[];
}

/**
 * Checks what a stream mirrors or sources (behaviour.md D.2, D.11). A mirror gets direct reads from its origin.
 * @throws ApiError
 */
export function checkSources(draft: StreamDraft, context: StreamContext, literally: boolean): void {
  const origins: Origins = { subjects: [], externals: [] };
  if (draft.mirror !== undefined) checkMirror(draft, draft.mirror, context, origins, literally);
  if (draft.sources.length > 0 && draft.allowMsgSchedules) throw apiError(10187);
  const keys = new Set<string>();
  const consumers = new Set<string>();
  for (const source of draft.sources) {
    checkSource(source, keys, consumers);
    if (source.external !== undefined) origins.externals.push(source.external);
    else if (checkOrigin(draft, source.name, context, origins)) throw apiError(10046);
  }
  checkPrefixes(origins);
  checkCycle(draft, context);
}

function checkMirror(
  draft: StreamDraft,
  mirror: StreamSource,
  context: StreamContext,
  origins: Origins,
  literally: boolean,
): void {
  if (draft.firstSeq > 0) throw apiError(10143);
  if (draft.subjects.length > 0) throw apiError(10034);
  if (draft.sources.length > 0) throw apiError(10031);
  if (draft.allowMsgCounter) throw apiError(10173);
  if (draft.allowAtomic) throw apiError(10198);
  if (draft.allowBatched) throw apiError(10209);
  if (draft.allowMsgSchedules) throw apiError(10186);
  checkConsumer(mirror, () => apiError(10213));
  if (mirror.filterSubject !== "" && mirror.subjectTransforms.length > 0) throw apiError(10150);
  // A marker would take a sequence, and the mirror would no longer have those of its origin.
  if (draft.subjectDeleteMarkerTtl > 0)
    throw invalidStreamConfig("subject delete markers forbidden on mirrors");
  const transforms = mirror.subjectTransforms;
  transforms.forEach(({ src, dest }, i) => {
    if (src !== "" && !isFilterSubject(src)) throw apiError(10151, { err: `invalid subject ${src}` });
    const err = transformFault(src, dest);
    if (err !== undefined) throw apiError(10154, { err });
    if (transforms.some((other, j) => i !== j && subjectsCollide(src, other.src))) throw apiError(10152);
  });
  if (mirror.external !== undefined) {
    origins.externals.push(mirror.external);
    return;
  }
  if (!isAssetName(mirror.name)) throw apiError(10142);
  if (checkOrigin(draft, mirror.name, context, origins)) throw apiError(10030);
  const origin = context.streamOf(mirror.name);
  if (origin === undefined) return;
  if (literally && draft.mirrorDirect !== origin.allowDirect) {
    throw pedantic("origin stream has direct get set, mirror has it disabled");
  }
  draft.mirrorDirect = origin.allowDirect;
}

function checkSource(source: StreamSource, keys: Set<string>, consumers: Set<string>): void {
  if (!isAssetName(source.name)) throw apiError(10141);
  const key = sourceKey(source);
  if (keys.has(key)) throw apiError(10140);
  keys.add(key);
  const transforms = source.subjectTransforms;
  if (source.filterSubject !== "" && transforms.length > 0) throw apiError(10144);
  for (const { src, dest } of transforms) {
    if (src !== "" && !isFilterSubject(src)) throw apiError(10145, { err: `invalid subject ${src}` });
    const err = transformFault(src, dest);
    if (err !== undefined) throw apiError(10146, { err });
  }
  transforms.forEach(({ src }, i) => {
    if (transforms.some((other, j) => i !== j && isSubset(src, other.src))) throw apiError(10147);
  });
  if (source.consumer === undefined) return;
  checkConsumer(source, () => apiError(10215));
  const consumer = sourceConsumerKey(source);
  if (consumers.has(consumer)) throw apiError(10216);
  consumers.add(consumer);
}

/** A consumer that there is already says itself where to begin and what to leave out. */
function checkConsumer(source: StreamSource, error: () => ApiError): void {
  const { consumer } = source;
  if (consumer === undefined) return;
  const { name, deliverSubject } = consumer;
  if (!isAssetName(name)) throw error();
  if (!isWithoutWildcards(deliverSubject) || !isFilterSubject(deliverSubject)) throw error();
  if (source.optStartSeq !== 0 || source.optStartTime !== undefined || source.filterSubject !== "")
    throw error();
}

/** Notes a stream of the same account, and says whether its messages may be too large. It need not exist yet. */
function checkOrigin(draft: StreamDraft, name: string, context: StreamContext, origins: Origins): boolean {
  const origin = context.streamOf(name);
  if (origin === undefined) return false;
  origins.subjects.push(...origin.subjects);
  return draft.maxMsgSize > 0 && origin.maxMsgSize > 0 && draft.maxMsgSize < origin.maxMsgSize;
}

function checkPrefixes({ externals, subjects }: Origins): void {
  for (const { deliver: prefix } of externals) {
    if (prefix === "") continue;
    if (!isPublishSubject(prefix)) throw apiError(10024, { prefix });
    for (const subject of subjects) {
      if (subjectsCollide(subject, `${prefix}.${subject}`)) throw apiError(10022, { prefix, subject });
    }
  }
  for (const { api: prefix } of externals) {
    if (prefix === "") continue;
    if (!isPublishSubject(prefix)) {
      throw invalidStreamConfig(
        `stream external api prefix ${quote(prefix)} must be a valid subject without wildcards`,
      );
    }
    if (subjectsCollide(prefix, API_SUBJECT)) throw apiError(10021, { prefix, subject: API_SUBJECT });
  }
}

/** Follows sources and mirrors from stream to stream: none may lead back. */
function checkCycle(draft: StreamConfig, context: StreamContext): void {
  const toVisit: StreamConfig[] = [draft];
  const visited = new Set<string>();
  for (let config = toVisit.shift(); config !== undefined; config = toVisit.shift()) {
    visited.add(config.name);
    const { subjects, sources, mirror } = config;
    for (const { name, filterSubject, external } of sources) {
      if (external !== undefined) continue;
      if (visited.has(name)) {
        const overlaps =
          filterSubject === "" || subjects.some((subject) => subjectsCollide(subject, filterSubject));
        if (overlaps) throw invalidStreamConfig("detected cycle");
      } else visit(name);
    }
    if (mirror === undefined || mirror.external !== undefined) continue;
    if (visited.has(mirror.name)) throw invalidStreamConfig("detected cycle");
    visit(mirror.name);
  }

  function visit(name: string): void {
    const origin = context.streamOf(name);
    if (origin !== undefined) toVisit.push(origin);
  }
}
