import type { JetStreamAccount } from "../account/account.ts";
import { createConsumerRequest } from "../consumer/config.ts";
import { decideConsumer } from "../consumer/create.ts";
import { answerConsumerRequest, consumerAddress, groupToUnpin } from "../consumer/requests.ts";
import { apiError } from "../errors.ts";
import { decodeRequest, isEmptyRequest } from "../json/decode.ts";
import type { ApiRequest } from "./api.ts";

/** Serves a request about consumers: the members of the answer, as JSON. @throws ApiError, RequestJsonError (or rejects) */
export function serveConsumers(asked: ApiRequest, strict: boolean): Promise<string> {
  const { address, body, account } = asked;
  const stream = account.streams.get(address.stream);
  if (stream !== undefined) return answerConsumerRequest(stream.consumers, address, body, strict);
  return refuse(asked, strict);
}

/** Of a stream that is not there, what is wrong with the request itself is told first. */
function refuse({ address, body, account }: ApiRequest, strict: boolean): never {
  const { request } = address;
  if (request === "CONSUMER.CREATE" || request === "CONSUMER.DURABLE.CREATE") {
    decideConsumer(
      consumerAddress(address),
      decodeRequest(createConsumerRequest, body, strict),
      contextOf(account),
    );
  } else if ((request === "CONSUMER.INFO" || request === "CONSUMER.DELETE") && !isEmptyRequest(body)) {
    throw apiError(10038);
  } else if (request === "CONSUMER.UNPIN") {
    groupToUnpin(body);
  }
  account.stream(address.stream);
  throw apiError(10059);
}

function contextOf({ context, streams }: JetStreamAccount): Parameters<typeof decideConsumer>[2] {
  return {
    server: context.serverLimits,
    account: context.limits,
    streamOf: (name) => context.streamOf(name),
    consumersOf: (name) => streams.get(name)?.consumers.existing() ?? [],
    isBound: () => false,
    newName: () => "",
  };
}
