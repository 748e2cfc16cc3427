import { subjectsCollide } from "../../protocol/subject.ts";
import { apiError } from "../errors.ts";
import { comparableMetadata, storedStreamMetadata } from "../metadata.ts";
import { isFilterSubject } from "../subjects.ts";
import { checkStreamConfig } from "./check.ts";
import { type StreamConfig, type StreamConfigRequest, sameStreamConfig } from "./config.ts";
import { deny } from "./draft.ts";
import { checkLimits, type LimitsContext } from "./limits.ts";
import type { StreamSource } from "./source.ts";

/** What a request to create a stream is checked against. */
export interface CreateContext extends LimitsContext {
  /** The configurations of all streams of the account. */
  readonly streams: readonly StreamConfig[];
}

/** What comes of a request to create a stream. */
export interface CreateDecision {
  readonly config: StreamConfig;
  /** Whether the stream is there already, with this very configuration: asking for it again is no error. */
  readonly exists: boolean;
}

/**
 * Decides about `STREAM.CREATE.<subjectName>` (nats-server `jsStreamCreateRequest`, on one server).
 * @throws ApiError
 */
export function decideCreate(
  subjectName: string,
  request: StreamConfigRequest,
  context: CreateContext,
): CreateDecision {
  const { pedantic: literally, ...given } = request;
  const wanted = { ...given, metadata: storedStreamMetadata(given) };
  if (subjectName !== wanted.name) throw apiError(10056);
  if (/[\\/]/.test(subjectName)) throw apiError(10128);
  deny(wanted.sealed, "stream configuration for create can not be sealed");
  deny(
    wanted.mirrorDirect && wanted.mirror === undefined,
    "stream has no mirror but does have mirror direct",
  );
  const others = context.streams.filter(({ name }) => name !== wanted.name);
  const { maxStreams } = context.account;
  if (maxStreams > 0 && others.length >= maxStreams) throw apiError(10027);
  checkLimits(wanted, wanted.maxBytes, 0, context);
  const config = checkStreamConfig(wanted, context, literally);
  if (config.numReplicas > 1) throw apiError(10074);
  const existing = context.streamOf(config.name);
  if (existing !== undefined) {
    const compared = { ...config, metadata: comparableMetadata(config.metadata, existing.metadata) };
    if (!sameStreamConfig(compared, existing)) throw apiError(10058);
    return { config: existing, exists: true };
  }
  checkLimits(config, config.maxBytes, 0, context);
  checkFilters(config);
  if (overlapsAny(config.subjects, others)) throw apiError(10065);
  return { config, exists: false };
}

/** Whether a stream has one of the subjects, in whole or in part: a message can only go to one. */
export function overlapsAny(subjects: readonly string[], others: readonly StreamConfig[]): boolean {
  return others.some((other) =>
    other.subjects.some((theirs) => subjects.some((subject) => subjectsCollide(subject, theirs))),
  );
}

function checkFilters(config: StreamConfig): void {
  if (config.mirror !== undefined) checkFilter(config.mirror, " for the mirror ");
  for (const source of config.sources) checkFilter(source, " for the source: ");
}

function checkFilter({ filterSubject }: StreamSource, whose: string): void {
  if (filterSubject === "" || isFilterSubject(filterSubject)) return;
  throw apiError(10049, { err: `subject filter '${filterSubject}'${whose}invalid subject` });
}
