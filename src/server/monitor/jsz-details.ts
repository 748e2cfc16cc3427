import type { JetStreamAccount } from "../../jetstream/account/account.ts";
import { consumerConfig } from "../../jetstream/consumer/config.ts";
import type { Consumer } from "../../jetstream/consumer/consumer.ts";
import { consumerInfo } from "../../jetstream/consumer/info.ts";
import { streamInfo } from "../../jetstream/stream/info.ts";
import type { Stream } from "../../jetstream/stream/stream.ts";
import { Pauses } from "./pauses.ts";
import type { MonitorState } from "./state.ts";

/** Amounts that are not limited are -1, which nats-server shows as a whole number without a sign. */
const UNLIMITED = 2 ** 64;

/** What of accounts is asked for; the names are those of the system account's services. */
export interface DetailOptions {
  streams?: boolean;
  consumer?: boolean;
  direct_consumer?: boolean;
  config?: boolean;
  raft?: boolean;
  stream_leader_only?: boolean;
  /** The most streams of an account, and consumers of a stream; those which were written to last. Default: all. For the live page. */
  newest?: number;
}

/** A position of a consumer. */
interface SequenceInfo {
  readonly consumer_seq: number;
  readonly stream_seq: number;
  readonly last_active?: string;
}

/** A consumer (nats-server `ConsumerInfo`), as far as others than clients read it. */
export interface ConsumerDetail {
  readonly name: string;
  readonly config?: { readonly description?: string };
  readonly delivered: SequenceInfo;
  readonly ack_floor: SequenceInfo;
  readonly num_ack_pending: number;
  readonly num_redelivered: number;
  readonly num_waiting: number;
  readonly num_pending: number;
  readonly ts: string;
}

/** Where a stream gets messages from. */
export interface SourceDetail {
  readonly name: string;
  readonly external?: { readonly api?: string; readonly deliver?: string };
  readonly lag: number;
  readonly active: number;
}

/** A stream (nats-server `StreamDetail`). */
export interface StreamDetail {
  readonly name: string;
  readonly created: string;
  readonly cluster: { readonly leader: string };
  readonly config?: { readonly max_bytes: number; readonly max_msgs: number };
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly num_subjects?: number;
    readonly consumer_count: number;
  };
  readonly consumer_detail?: readonly ConsumerDetail[];
  readonly direct_consumer_detail?: readonly ConsumerDetail[];
  readonly mirror?: SourceDetail;
  readonly sources?: readonly SourceDetail[];
}

/** An account with JetStream (nats-server `AccountDetail`). */
export type AccountDetail = Awaited<ReturnType<typeof accountDetail>>;

/** All that is asked for of accounts. */
export async function accountDetails(
  state: MonitorState,
  accounts: readonly JetStreamAccount[],
  options: DetailOptions,
) {
  const writer = new DetailWriter(state, options);
  const found: AccountDetail[] = [];
  for (const account of accounts) found.push(await accountDetail(account, writer, options));
  return found;
}

async function accountDetail(account: JetStreamAccount, writer: DetailWriter, options: DetailOptions) {
  const { context, api } = account;
  const { name, usage, limits } = context;
  const streams = options.streams ? await writer.streams(account) : [];
  return {
    name,
    id: name,
    memory: usage.used.memory,
    storage: usage.used.file,
    reserved_memory: unsigned(limits.maxMemory),
    reserved_storage: unsigned(limits.maxStore),
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: api.total, errors: api.errors },
    stream_detail: streams.length === 0 ? undefined : streams,
  };
}

function unsigned(amount: number): number {
  return amount < 0 ? UNLIMITED + amount : amount;
}

/** Writes streams and consumers, a few at a time. */
class DetailWriter {
  readonly #leader: string;
  readonly #options: DetailOptions;
  readonly #pauses: Pauses;

  constructor({ info, tasks }: MonitorState, options: DetailOptions) {
    this.#leader = info.server_name;
    this.#pauses = new Pauses(tasks);
    this.#options = options;
  }

  async streams({ streams }: JetStreamAccount): Promise<StreamDetail[]> {
    const { newest = Number.POSITIVE_INFINITY } = this.#options;
    const all = [...streams.values()];
    if (all.length > newest) all.sort((a, b) => b.store.state.lastTime - a.store.state.lastTime);
    const found: StreamDetail[] = [];
    for (const stream of all.slice(0, newest).sort(byName)) {
      await this.#pauses.next();
      if (!stream.closed) found.push(await this.#stream(stream));
    }
    return found;
  }

  async #stream(stream: Stream): Promise<StreamDetail> {
    const { consumer, direct_consumer: direct, config } = this.#options;
    const now = stream.account.clock.now();
    const json = streamInfo(stream, { now, domain: "", leader: "", dynamic: false });
    const info = JSON.parse(`{${json}}`) as StreamDetail;
    return {
      name: stream.config.name,
      created: info.created,
      cluster: { leader: this.#leader },
      config: config ? info.config : undefined,
      state: info.state,
      consumer_detail: consumer ? await this.#consumers(stream, false) : undefined,
      direct_consumer_detail: consumer && direct ? await this.#consumers(stream, true) : undefined,
      mirror: info.mirror,
      sources: info.sources,
    };
  }

  async #consumers(stream: Stream, direct: boolean): Promise<ConsumerDetail[] | undefined> {
    const { newest = Number.POSITIVE_INFINITY } = this.#options;
    const all = [...stream.consumers.all()].filter(({ config }) => config.direct === direct);
    all.sort((a, b) => (a.consumer < b.consumer ? -1 : 1));
    const found: ConsumerDetail[] = [];
    for (const consumer of all.slice(0, newest)) {
      await this.#pauses.next();
      if (!consumer.closed) found.push(await this.#consumer(consumer));
    }
    return found.length === 0 ? undefined : found;
  }

  async #consumer(consumer: Consumer): Promise<ConsumerDetail> {
    const info = await consumer.info();
    const shown = JSON.parse(consumerInfo.write(info)) as ConsumerDetail;
    // Unlike the API, this shows what is stored.
    const config = this.#options.config ? JSON.parse(consumerConfig.write(info.config)) : undefined;
    return { ...shown, config };
  }
}

function byName(a: Stream, b: Stream): number {
  return a.config.name < b.config.name ? -1 : 1;
}
