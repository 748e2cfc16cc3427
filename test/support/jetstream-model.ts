import { parseApiSubject } from "../../src/jetstream/api/subject.ts";
import {
  type ConsumerConfig,
  consumerConfig,
  createConsumerRequest,
} from "../../src/jetstream/consumer/config.ts";
import { decideConsumer, type ExistingConsumer } from "../../src/jetstream/consumer/create.ts";
import { ApiError, apiError } from "../../src/jetstream/errors.ts";
import { decodeRequest, RequestJsonError } from "../../src/jetstream/json/decode.ts";
import { JsonScanner } from "../../src/jetstream/json/scan.ts";
import { shownMetadata } from "../../src/jetstream/metadata.ts";
import { type StreamConfig, streamConfig, streamConfigRequest } from "../../src/jetstream/stream/config.ts";
import {
  type AccountLimits,
  NO_ACCOUNT_LIMITS,
  NO_SERVER_LIMITS,
  type ServerLimits,
} from "../../src/jetstream/stream/context.ts";
import { type CreateContext, decideCreate } from "../../src/jetstream/stream/create.ts";
import { decideUpdate } from "../../src/jetstream/stream/update.ts";

/** What an answer says that both servers must say: an error, or the configuration as it is written. */
export interface Answered {
  readonly error?: { code: number; err_code: number; description: string };
  readonly config?: string;
}

/**
 * An account without messages, put together from the functions that check configurations: it answers requests to create and update
 * streams and consumers, so that the answers can be compared with a real server's.
 */
export class JetStreamModel {
  readonly #streams = new Map<string, StreamConfig>();
  readonly #consumers = new Map<string, Map<string, ConsumerConfig>>();
  readonly #limits: ServerLimits;
  readonly #account: AccountLimits;
  #newName = "";

  constructor(limits: Partial<ServerLimits> = {}, account: Partial<AccountLimits> = {}) {
    this.#limits = { ...NO_SERVER_LIMITS, ...limits };
    this.#account = { ...NO_ACCOUNT_LIMITS, ...account };
  }

  /**
   * Answers a request.
   * @param name - the name that the real server gave a new consumer.
   */
  answer(subject: string, body: Uint8Array, name: string): Answered {
    this.#newName = name;
    try {
      return { config: this.#decide(subject, body) };
    } catch (error) {
      const found = error instanceof RequestJsonError ? apiError(10025, { err: error.message }) : error;
      if (found instanceof ApiError) return { error: found.toJSON() };
      throw error;
    }
  }

  #decide(subject: string, body: Uint8Array): string {
    const address = parseApiSubject(subject);
    switch (address?.request) {
      case "STREAM.CREATE": {
        const request = decodeRequest(streamConfigRequest, body);
        return this.#keep(decideCreate(address.stream, request, this.#context()).config);
      }
      case "STREAM.UPDATE": {
        const request = decodeRequest(streamConfigRequest, body);
        const consumers = (): ExistingConsumer[] => this.#list(address.stream);
        return this.#keep(
          decideUpdate(address.stream, request, this.#context(), () =>
            consumers().map(({ name, config }) => ({ ...config, name })),
          ),
        );
      }
      case "CONSUMER.CREATE":
      case "CONSUMER.DURABLE.CREATE": {
        const request = decodeRequest(createConsumerRequest, body);
        const unnamed = address.consumer === "" ? "unnamed" : "named";
        const form = address.request === "CONSUMER.DURABLE.CREATE" ? "durable" : unnamed;
        const { name, config } = decideConsumer({ ...address, form }, request, {
          server: this.#limits,
          account: this.#account,
          streamOf: (stream) => this.#streams.get(stream),
          consumersOf: (stream) => this.#list(stream),
          isBound: () => false,
          newName: () => this.#newName,
        });
        const map = this.#consumers.get(address.stream) ?? new Map<string, ConsumerConfig>();
        this.#consumers.set(address.stream, map.set(name, config));
        return consumerConfig.write({ ...config, metadata: shownMetadata(config.metadata) });
      }
      default:
        throw new Error(`the model does not answer ${subject}`);
    }
  }

  #keep(config: StreamConfig): string {
    this.#streams.set(config.name, config);
    return streamConfig.write({ ...config, metadata: shownMetadata(config.metadata) });
  }

  #list(stream: string): ExistingConsumer[] {
    return [...(this.#consumers.get(stream) ?? [])].map(([name, config]) => ({ name, config }));
  }

  #context(): CreateContext {
    return {
      server: this.#limits,
      account: this.#account,
      streams: [...this.#streams.values()],
      streamOf: (name) => this.#streams.get(name),
      reservations: ({ name, storage }) => {
        const kept = [...this.#streams.values()].filter((stream) => stream.storage === storage);
        const sum = (streams: StreamConfig[]): number =>
          streams.reduce((all, { maxBytes }) => all + Math.max(0, maxBytes), 0);
        const others = kept.filter((stream) => stream.name !== name);
        return { account: sum(others), server: sum(kept), serverMax: 1_000_000_000 };
      },
    };
  }
}

/** The same of a real server's answer. */
export function answeredBy(reply: Uint8Array): Answered & { readonly name: string } {
  const node = new JsonScanner(reply).only();
  const text = (start: number, end: number): string => new TextDecoder().decode(reply.subarray(start, end));
  if (node.kind !== "object") throw new Error(`no answer: ${text(0, reply.length)}`);
  const { error, config, name } = Object.fromEntries(node.members);
  if (error !== undefined) return { error: JSON.parse(text(error.start, error.end)), name: "" };
  if (config === undefined) throw new Error(`no configuration: ${text(0, reply.length)}`);
  return { config: text(config.start, config.end), name: name?.kind === "string" ? name.text : "" };
}
