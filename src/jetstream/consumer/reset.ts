import type { Message } from "../../protocol/message.ts";
import { resetRequest } from "../api/requests.ts";
import { responseType } from "../api/subject.ts";
import { ApiError, apiError } from "../errors.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { storedFromMs } from "../json/timestamps.ts";
import { bodyOf } from "./ack-handler.ts";
import { filtersOf } from "./config.ts";
import type { Consumer } from "./consumer.ts";
import { consumerInfo } from "./info.ts";
import { isLevelServed } from "./listening.ts";

/**
 * Where a consumer may begin anew (nats-server `resetStartingSeqLocked`). @param wanted - 0 for behind what is acknowledged.
 * @throws ApiError
 */
export function resetPosition({ config, state, host }: Consumer, wanted: number): number {
  if (wanted === 0) return state.floor.stream + 1;
  const refused = (err: string): ApiError => apiError(10204, { err });
  switch (config.deliverPolicy) {
    case "all":
      break;
    case "by_start_sequence":
      if (wanted < config.optStartSeq) throw refused("below start seq");
      break;
    case "by_start_time":
      if (wanted < host.store.seqAt(storedFromMs(config.optStartTime!))) throw refused("below start time");
      break;
    default:
      throw refused("not allowed");
  }
  return wanted;
}

/** Answers `CONSUMER.RESET`, which consumers hear themselves. */
export function answerReset(consumer: Consumer, message: Message): void {
  const { reply } = message;
  const served = isLevelServed(message);
  const body = bodyOf(message).slice();
  const { client, logger } = consumer.host.account;
  answer(consumer, served, body)
    .catch((error: unknown) => {
      const shown = error instanceof RequestJsonError ? apiError(10025, { err: error.message }) : error;
      if (!(shown instanceof ApiError)) throw error;
      return `"error":${JSON.stringify(shown)},"reset_seq":0`;
    })
    .then((fields) =>
      client.publish(reply, undefined, `{"type":"${responseType("CONSUMER.RESET")}",${fields}}`),
    )
    .catch((error: unknown) => logger.error(`CONSUMER.RESET failed: ${String(error)}`));
}

async function answer(consumer: Consumer, served: boolean, body: Uint8Array): Promise<string> {
  if (!served) throw apiError(10185);
  const { seq } = body.length === 0 ? resetRequest.zero() : decodeJson(resetRequest, body);
  const position = resetPosition(consumer, seq);
  consumer.reset(position);
  // As it is before anything comes of it.
  const asReset = consumer.info();
  const { host } = consumer;
  if (host.config.retention === "interest") host.needsChanged(filtersOf(consumer.config));
  const [info] = await Promise.all([asReset, consumer.flush().catch(() => {})]);
  return `${consumerInfo.write(info).slice(1, -1)},"reset_seq":${position}`;
}
