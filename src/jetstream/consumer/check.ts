import { showDuration } from "../../protocol/durations.ts";
import { apiError, invalidStreamConfig } from "../errors.ts";
import {
  byteLength,
  isAssetName,
  MAX_DESCRIPTION_LENGTH,
  MAX_METADATA_LENGTH,
  metadataLength,
} from "../names.ts";
import type { StreamConfig } from "../stream/config.ts";
import type { AccountLimits, ServerLimits } from "../stream/context.ts";
import { isFilterSubject, isSubset, isWithoutWildcards } from "../subjects.ts";
import { type ConsumerConfig, filtersOf, isPush } from "./config.ts";
import { SOURCING_HEARTBEAT_MS } from "./defaults.ts";
import { checkStart } from "./start.ts";

/** The shortest heartbeat, in ms. */
const SHORTEST_HEARTBEAT_MS = 100;
const GROUP_NAME = /^[a-zA-Z0-9/_=-]{1,16}$/;

/**
 * Checks a consumer's configuration, in which the defaults have been put, in nats-server's order (behaviour.md D.10, `checkConsumerCfg`).
 * @throws ApiError
 */
export function checkConsumerConfig(
  config: ConsumerConfig,
  stream: StreamConfig,
  server: ServerLimits,
  account: AccountLimits,
): void {
  checkNames(config);
  checkReplicas(config, stream);
  if (config.backoff.some((wait) => wait < 0)) throw apiError(10184);
  if (config.ackWait < 0) throw apiError(10183);
  if (config.ackPolicy === "flow_control") checkFlowControlled(config);
  const steps = config.backoff.length;
  if (steps > 0 && config.maxDeliver !== -1 && steps > config.maxDeliver) throw apiError(10116);
  if (byteLength(config.description) > MAX_DESCRIPTION_LENGTH) {
    throw apiError(10107, { max: MAX_DESCRIPTION_LENGTH });
  }
  if (isPush(config)) checkPush(config, stream);
  else checkPull(config, stream, server);
  checkBounds(config, stream, server, account);
  if (config.direct && !isPush(config)) throw apiError(10090);
  if (config.direct && config.durableName !== "") throw apiError(10091);
  checkFilters(config);
  checkStart(config);
  checkSampling(config.sampleFreq);
  if (config.flowControl && config.idleHeartbeat === 0) throw apiError(10108);
  const { durableName, name } = config;
  if (durableName !== "" && name !== "" && durableName !== name) throw apiError(10132);
  if (metadataLength(config.metadata) > MAX_METADATA_LENGTH) {
    throw apiError(10135, { limit: `${MAX_METADATA_LENGTH / 1024}KB` });
  }
  checkPriority(config);
}

function checkNames({ name, durableName }: ConsumerConfig): void {
  const err = "name can not contain '.', '*', '>', '\\', '/'";
  if (name !== "" && !isAssetName(name)) throw invalidStreamConfig(`consumer ${err}`);
  if (durableName !== "" && !isAssetName(durableName)) throw invalidStreamConfig(`consumer durable ${err}`);
}

function checkReplicas({ numReplicas }: ConsumerConfig, stream: StreamConfig): void {
  if (numReplicas > 0 && numReplicas > stream.numReplicas) throw apiError(10126);
  if (numReplicas < 0) throw apiError(10133);
  const kept = stream.retention !== "limits";
  if (kept && numReplicas !== 0 && numReplicas !== stream.numReplicas) throw apiError(10134);
}

/** What acknowledges by answering flow control is for sourcing: push, and with a fixed heartbeat. */
function checkFlowControlled(config: ConsumerConfig): void {
  if (!isPush(config)) throw apiError(10218);
  if (!config.flowControl) throw apiError(10219);
  if (config.idleHeartbeat !== SOURCING_HEARTBEAT_MS) {
    throw invalidStreamConfig("flow control ack policy heartbeat needs to be 1s");
  }
  if (config.maxAckPending <= 0) throw apiError(10220);
  if (config.ackWait !== 0 || config.backoff.length > 0) throw apiError(10221);
  if (config.maxDeliver > 0) throw apiError(10222);
}

function checkPush(config: ConsumerConfig, stream: StreamConfig): void {
  const { deliverSubject, idleHeartbeat } = config;
  if (!isWithoutWildcards(deliverSubject)) throw apiError(10079);
  if (!isFilterSubject(deliverSubject)) throw apiError(10112);
  if (stream.subjects.some((subject) => isSubset(deliverSubject, subject))) throw apiError(10081);
  if (config.maxWaiting !== 0) throw apiError(10080);
  if (config.maxAckPending > 0 && config.ackPolicy === "none") throw apiError(10082);
  if (idleHeartbeat > 0 && idleHeartbeat < SHORTEST_HEARTBEAT_MS) throw apiError(10083);
}

function checkPull(config: ConsumerConfig, stream: StreamConfig, server: ServerLimits): void {
  if (config.ackPolicy === "none" && stream.retention === "workqueue") throw apiError(10084);
  if (config.rateLimitBps > 0) throw apiError(10086);
  if (config.idleHeartbeat > 0) throw apiError(10088);
  if (config.flowControl) throw apiError(10089);
  if (config.maxExpires !== 0 && config.maxExpires < 1) throw apiError(10115);
  const limit = server.maxRequestBatch;
  if (limit > 0 && config.maxBatch > limit) throw apiError(10125, { limit });
}

function checkBounds(
  config: ConsumerConfig,
  stream: StreamConfig,
  server: ServerLimits,
  account: AccountLimits,
): void {
  const limits = [server.maxAckPending, account.maxAckPending, stream.consumerLimits.maxAckPending];
  for (const limit of limits) {
    if (limit > 0 && config.maxAckPending > limit) throw apiError(10121, { limit });
  }
  const threshold = stream.consumerLimits.inactiveThreshold;
  if (threshold > 0 && config.inactiveThreshold > threshold) {
    throw apiError(10153, { limit: showDuration(threshold) });
  }
}

function checkFilters(config: ConsumerConfig): void {
  if (config.filterSubject !== "" && config.filterSubjects.length > 0) throw apiError(10136);
  if (config.filterSubjects.includes("")) throw apiError(10139);
  const filters = filtersOf(config);
  filters.forEach((filter, i) => {
    if (!isFilterSubject(filter)) throw invalidStreamConfig("invalid subject");
    if (filters.some((other, j) => i !== j && isSubset(filter, other))) throw apiError(10138);
  });
}

/** The percentage of acknowledgements that are sampled: "30" or "30%". */
function checkSampling(sampleFreq: string): void {
  if (sampleFreq === "") return;
  const shown = sampleFreq.replace(/%$/, "");
  const err = atoiFault(shown);
  if (err !== undefined) throw apiError(10095, { err });
  if (Number(shown) < 0) throw apiError(10095, { err: "<nil>" });
}

/** What Go's `strconv.Atoi` says of a text; undefined when it is a number. */
function atoiFault(shown: string): string | undefined {
  const isNumber = /^[+-]?\d+$/.test(shown);
  if (isNumber && Math.abs(Number(shown)) < 2 ** 63) return undefined;
  const why = isNumber ? "value out of range" : "invalid syntax";
  return `strconv.Atoi: parsing ${JSON.stringify(shown)}: ${why}`;
}

function checkPriority(config: ConsumerConfig): void {
  const { priorityPolicy, priorityGroups } = config;
  if (priorityPolicy === "none") {
    if (priorityGroups.length > 0) throw apiError(10196);
    if (config.priorityTimeout > 0) throw apiError(10197);
    return;
  }
  if (isPush(config)) throw apiError(10178);
  if (priorityGroups.length === 0) throw apiError(10159);
  for (const group of priorityGroups) {
    if (group === "") throw apiError(10161);
    if (!isGroupName(group)) throw apiError(10162);
  }
}

/** Whether a priority group may be called so. */
export function isGroupName(name: string): boolean {
  return GROUP_NAME.test(name);
}
