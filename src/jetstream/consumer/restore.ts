import type { SnapshotConsumer } from "../snapshot/sink.ts";
import { type ConsumerContext, type ConsumerDecision, decideConsumer } from "./create.ts";

/** Decides about a consumer in a snapshot as about a request to create it. @throws ApiError */
export function decideRestoredConsumer(
  { name, config }: SnapshotConsumer,
  stream: string,
  context: ConsumerContext,
): ConsumerDecision {
  const form = config.durableName === "" ? "named" : "durable";
  return decideConsumer(
    { form, stream, consumer: name, filter: "" },
    { streamName: stream, config: { ...config, name }, action: "create", pedantic: false },
    context,
  );
}
