import { apiError } from "../errors.ts";
import { storedStreamMetadata } from "../metadata.ts";
import { checkStreamConfig } from "./check.ts";
import type { StreamConfig } from "./config.ts";
import { type CreateContext, overlapsAny } from "./create.ts";
import { checkLimits } from "./limits.ts";

/**
 * Decides about `STREAM.RESTORE.<subjectName>` (nats-server `jsStreamRestoreRequest`, on one server): returns the configuration that the stream
 * will have.
 * @throws ApiError
 */
export function decideRestore(
  subjectName: string,
  given: StreamConfig,
  context: CreateContext,
): StreamConfig {
  const named = { ...given, name: given.name || subjectName };
  if (subjectName !== named.name) throw apiError(10056);
  if (/[\\/]/.test(subjectName)) throw apiError(10128);
  const config = checkStreamConfig({ ...named, metadata: storedStreamMetadata(named) }, context, false);
  const others = context.streams.filter(({ name }) => name !== config.name);
  const { maxStreams } = context.account;
  if (maxStreams > 0 && others.length >= maxStreams) throw apiError(10027);
  checkLimits(config, config.maxBytes, 0, context);
  if (config.numReplicas > 1) throw apiError(10074);
  if (context.streamOf(config.name) !== undefined) throw apiError(10130);
  if (overlapsAny(config.subjects, others)) throw apiError(10065);
  return config;
}
