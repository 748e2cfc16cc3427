import { subjectsCollide } from "../../protocol/subject.ts";
import { apiError } from "../errors.ts";
import { type Timestamp, timestampNs, timestampOfNs } from "../json/timestamps.ts";
import { comparableMetadata, storedConsumerMetadata } from "../metadata.ts";
import { byteLength, MAX_NAME_LENGTH } from "../names.ts";
import type { StreamConfig } from "../stream/config.ts";
import type { AccountLimits, ServerLimits } from "../stream/context.ts";
import { checkConsumerConfig } from "./check.ts";
import { type ConsumerConfig, type CreateConsumerRequest, filtersOf, sameConsumerConfig } from "./config.ts";
import { withConsumerDefaults } from "./defaults.ts";
import { checkConsumerUpdate } from "./update.ts";

/** How long a consumer that is not durable stays without use, in ms. */
const DEFAULT_INACTIVE_THRESHOLD_MS = 5_000;

/** How the subject of a request names the consumer. */
export interface ConsumerAddress {
  /** `CREATE.<s>` (without a name), `CREATE.<s>.<name>[.<filter>]`, or `DURABLE.CREATE.<s>.<name>`. */
  readonly form: "unnamed" | "named" | "durable";
  readonly stream: string;
  /** "" when the subject names none. */
  readonly consumer: string;
  /** "" when the subject has none. */
  readonly filter: string;
}

/** A consumer that there is. */
export interface ExistingConsumer {
  readonly name: string;
  readonly config: ConsumerConfig;
}

/** What a request for a consumer is checked against. */
export interface ConsumerContext {
  readonly server: ServerLimits;
  readonly account: AccountLimits;
  /** The configuration of a stream of the account. */
  streamOf(name: string): StreamConfig | undefined;
  /** The consumers of a stream. */
  consumersOf(stream: string): readonly ExistingConsumer[];
  /** Whether somebody listens on a subject. */
  isBound(subject: string): boolean;
  /** A name that no consumer has, for one that is given none. */
  newName(): string;
}

/** What comes of a request for a consumer. */
export interface ConsumerDecision {
  readonly name: string;
  readonly config: ConsumerConfig;
  /** The configuration that there has been; undefined for a new consumer. */
  readonly previous: ConsumerConfig | undefined;
}

/**
 * Decides about a request to create or update a consumer (nats-server `jsConsumerCreateRequest` and `addConsumer`, on one server).
 * @throws ApiError
 */
export function decideConsumer(
  address: ConsumerAddress,
  request: CreateConsumerRequest,
  context: ConsumerContext,
): ConsumerDecision {
  const given = addressed(address, request);
  if (given.numReplicas > 1) throw apiError(10074);
  const stream = context.streamOf(request.streamName);
  if (stream === undefined) throw apiError(10059);
  const consumers = context.consumersOf(stream.name);
  const wanted = asSourcing(given, stream, context);
  const named = address.consumer !== "" ? wanted.name : address.form === "unnamed" ? wanted.name : "";
  const current = consumers.find(({ name }) => name !== "" && name === named)?.config;
  const held = current === undefined ? wanted : keeping(wanted, current);
  const stored = { ...held, metadata: storedConsumerMetadata(held) };
  const config = withConsumerDefaults(stored, stream, context.server, context.account, request.pedantic);
  checkConsumerConfig(config, stream, context.server, context.account);
  const name = config.durableName || config.name;
  const existing = consumers.find((consumer) => consumer.name === name);
  if (existing !== undefined) {
    return changed(existing, config, request, stream, consumers, context);
  }
  if (request.action === "update") throw apiError(10149);
  checkCount(stream, consumers, context.account);
  if (stream.retention === "workqueue") checkWorkQueue(name, config, consumers);
  if (byteLength(config.durableName) > MAX_NAME_LENGTH) throw apiError(10102, { max: MAX_NAME_LENGTH });
  // The name that it is given does not come into the configuration.
  return { name: name || context.newName(), config: withThreshold(config), previous: undefined };
}

/** The configuration with the name that the subject gives, which must not contradict it. */
function addressed(address: ConsumerAddress, request: CreateConsumerRequest): ConsumerConfig {
  const { config } = request;
  const { form, consumer, filter } = address;
  if (address.stream !== request.streamName) throw apiError(10056);
  if (/[\\/]/.test(form === "unnamed" ? config.name : consumer)) throw apiError(10127);
  if (form === "durable" && config.durableName === "") throw apiError(10018);
  if (form === "unnamed" && config.durableName !== "") throw apiError(10020);
  if (form !== "unnamed" && config.durableName !== "" && config.durableName !== consumer)
    throw apiError(10017);
  if (filter !== "" && config.filterSubjects.length > 0) throw apiError(10137);
  if (filter !== "" && config.filterSubject !== filter) throw apiError(10131);
  return form === "unnamed" ? config : { ...config, name: consumer };
}

/** A consumer that another stream is sourced through: kept where messages wait for it, else one of many with the same beginning of the name. */
function asSourcing(config: ConsumerConfig, stream: StreamConfig, context: ConsumerContext): ConsumerConfig {
  if (!config.direct || !config.sourcing || config.name === "") return config;
  if (stream.retention === "limits") return { ...config, name: `${config.name}-${context.newName()}` };
  return {
    ...config,
    direct: false,
    durableName: config.name,
    ackPolicy: "flow_control",
    ackWait: 0,
    maxDeliver: 0,
    inactiveThreshold: 0,
  };
}

/** A consumer that there is stays paused until it was to be, and a sourcing one begins where it did. */
function keeping(wanted: ConsumerConfig, current: ConsumerConfig): ConsumerConfig {
  const { pauseUntil, deliverPolicy, optStartSeq, optStartTime } = current;
  if (!wanted.sourcing || wanted.durableName === "") return { ...wanted, pauseUntil };
  return { ...wanted, pauseUntil, deliverPolicy, optStartSeq, optStartTime };
}

function changed(
  existing: ExistingConsumer,
  wanted: ConsumerConfig,
  { action }: CreateConsumerRequest,
  stream: StreamConfig,
  consumers: readonly ExistingConsumer[],
  context: ConsumerContext,
): ConsumerDecision {
  const { name, config: previous } = existing;
  let config = wanted;
  if (action === "create") {
    config = { ...config, metadata: comparableMetadata(config.metadata, previous.metadata) };
    if (!sameConsumerConfig(config, previous)) throw apiError(10148);
  }
  if (stream.retention === "workqueue" && !isApart(name, filtersOf(config), consumers)) throw apiError(10100);
  checkConsumerUpdate(previous, config, (subject) => context.isBound(subject));
  return { name, config: withThreshold(inUtc(config)), previous };
}

function checkCount(
  stream: StreamConfig,
  consumers: readonly ExistingConsumer[],
  account: AccountLimits,
): void {
  const { maxConsumers } = account;
  const ours = stream.maxConsumers;
  const limit = ours <= 0 || (maxConsumers > 0 && maxConsumers < ours) ? maxConsumers : ours;
  if (limit > 0 && limited(consumers).length >= limit) throw apiError(10026);
}

/** Those that limits and work queues count: not the ones that other streams are sourced through. */
function limited(consumers: readonly ExistingConsumer[]): readonly ExistingConsumer[] {
  return consumers.filter(({ config }) => !config.direct && !config.sourcing);
}

/** Each message of a work queue goes to one consumer. */
function checkWorkQueue(name: string, config: ConsumerConfig, consumers: readonly ExistingConsumer[]): void {
  if (config.direct || config.sourcing) return;
  if (config.ackPolicy !== "explicit" && config.ackPolicy !== "flow_control") throw apiError(10098);
  if (config.deliverPolicy !== "all") throw apiError(10101);
  if (limited(consumers).length === 0) return;
  const filters = filtersOf(config);
  if (filters.length === 0) throw apiError(10099);
  if (!isApart(name, filters, consumers)) throw apiError(10100);
}

/** Whether no other consumer wants a message that one of these filters takes. */
function isApart(name: string, filters: readonly string[], consumers: readonly ExistingConsumer[]): boolean {
  const others = limited(consumers).filter((consumer) => consumer.name !== name);
  return filters.every((filter) =>
    others.every(({ config }) => {
      const theirs = filtersOf(config);
      return theirs.length > 0 && !theirs.some((other) => subjectsCollide(filter, other));
    }),
  );
}

/** A consumer that is not durable goes when nobody has used it for a while. */
function withThreshold(config: ConsumerConfig): ConsumerConfig {
  const lasting = config.durableName !== "" || config.inactiveThreshold > 0;
  return lasting ? config : { ...config, inactiveThreshold: DEFAULT_INACTIVE_THRESHOLD_MS };
}

/** The end of a pause is kept in UTC once the consumer has been changed. */
function inUtc(config: ConsumerConfig): ConsumerConfig {
  const { pauseUntil } = config;
  return pauseUntil === undefined ? config : { ...config, pauseUntil: utc(pauseUntil) };
}

function utc(time: Timestamp): Timestamp {
  return timestampOfNs(timestampNs(time));
}
