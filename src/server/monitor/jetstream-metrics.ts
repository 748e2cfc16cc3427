import { jsz } from "./jsz.ts";
import type { AccountDetail, ConsumerDetail, SourceDetail, StreamDetail } from "./jsz-details.ts";
import type { Labels, MetricsText } from "./metrics-text.ts";
import { Pauses } from "./pauses.ts";
import type { MonitorState } from "./state.ts";

/** Adds JetStream's metrics, as the NATS Prometheus exporter has them for `-jsz=all`: of the server, accounts, streams and consumers. */
export async function addJetStream(text: MetricsText, state: MonitorState, id: Labels): Promise<void> {
  const view = await jsz(state, { consumer: true, config: true });
  const server = state.info.server_name;
  const labels = {
    ...id,
    server_name: server,
    cluster: "",
    domain: state.jetstream?.settings.domain ?? "",
    meta_leader: "",
    is_meta_leader: "true",
  };
  const add = adder(text, "server", labels);
  add("jetstream_disabled", state.jetstream === undefined ? 1 : 0);
  add("max_memory", view.config.max_memory);
  add("max_storage", view.config.max_storage);
  add("total_streams", view.streams);
  add("total_consumers", view.consumers);
  add("total_messages", view.messages);
  add("total_message_bytes", view.bytes);
  const accounts = "account_details" in view ? view.account_details : undefined;
  const pauses = new Pauses(state.tasks);
  for (const account of accounts ?? []) await addAccount(text, account, labels, pauses);
}

/** Adds values of one thing. */
type Add = (metric: string, value: number) => void;

function adder(text: MetricsText, of: string, labels: Labels): Add {
  return (metric, value) => text.add(`jetstream_${of}_${metric}`, metric, labels, value);
}

async function addAccount(
  text: MetricsText,
  account: AccountDetail,
  server: Labels,
  pauses: Pauses,
): Promise<void> {
  const labels = { ...server, account: account.name, account_name: account.name, account_id: account.id };
  const add = adder(text, "account", labels);
  add("max_storage", account.reserved_storage);
  add("max_memory", account.reserved_memory);
  add("storage_used", account.storage);
  add("memory_used", account.memory);
  for (const stream of account.stream_detail ?? []) {
    await pauses.next();
    await addStream(text, stream, labels, pauses);
  }
}

async function addStream(
  text: MetricsText,
  stream: StreamDetail,
  account: Labels,
  pauses: Pauses,
): Promise<void> {
  const { name, cluster, state, config, sources = [], mirror } = stream;
  const labels = {
    ...account,
    stream_name: name,
    stream_leader: cluster.leader,
    is_stream_leader: "true",
    stream_raft_group: "",
  };
  const add = adder(text, "stream", labels);
  add("total_messages", state.messages);
  add("total_bytes", state.bytes);
  add("first_seq", state.first_seq);
  add("last_seq", state.last_seq);
  add("consumer_count", state.consumer_count);
  add("subject_count", state.num_subjects ?? 0);
  if (config !== undefined) {
    add("limit_bytes", config.max_bytes);
    add("limit_messages", config.max_msgs);
  }
  for (const source of sources) addSource(text, "source", source, labels);
  if (mirror !== undefined) addSource(text, "mirror", mirror, labels);
  for (const consumer of stream.consumer_detail ?? []) {
    await pauses.next();
    addConsumer(text, consumer, {
      ...labels,
      consumer_name: consumer.name,
      consumer_leader: "",
      is_consumer_leader: "true",
      consumer_desc: consumer.config?.description ?? "",
    });
  }
}

function addSource(text: MetricsText, as: "source" | "mirror", source: SourceDetail, stream: Labels): void {
  const { name, external, lag, active } = source;
  const labels = {
    ...stream,
    [`${as}_name`]: name,
    [`${as}_api`]: external?.api ?? "",
    [`${as}_deliver`]: external?.deliver ?? "",
  };
  const add = adder(text, "stream", labels);
  add(`${as}_lag`, lag);
  add(`${as}_active_duration_ns`, active);
}

function addConsumer(text: MetricsText, consumer: ConsumerDetail, labels: Labels): void {
  const { delivered, ack_floor: floor, ts } = consumer;
  const add = adder(text, "consumer", labels);
  const since = (metric: string, time: string | undefined): void => {
    if (time !== undefined) add(metric, (Date.parse(ts) - Date.parse(time)) / 1_000);
  };
  since("last_delivery_seconds", delivered.last_active);
  since("last_ack_seconds", floor.last_active);
  add("delivered_consumer_seq", delivered.consumer_seq);
  add("delivered_stream_seq", delivered.stream_seq);
  add("num_ack_pending", consumer.num_ack_pending);
  add("num_redelivered", consumer.num_redelivered);
  add("num_waiting", consumer.num_waiting);
  add("num_pending", consumer.num_pending);
  add("ack_floor_stream_seq", floor.stream_seq);
  add("ack_floor_consumer_seq", floor.consumer_seq);
}
