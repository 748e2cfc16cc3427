/** What the live page does with JetStream's view: it fills the tables of streams and consumers. It is a part of the page's script. */
export const JETSTREAM = String.raw`
/** Of each account so many streams, and of each stream so many consumers: those that were written to last. */
const NEWEST = 25;
const MOST_CONSUMERS = 50;
let earlier = { at: NaN, counts: new Map() };

/** How fast the counts of something grow, by the last look at it. */
function ratesOf(key, counts, at, kept) {
  const was = earlier.counts.get(key);
  kept.set(key, counts);
  const rate = (name) => number(was ? perSecond(counts[name], was[name], at - earlier.at) : 0) + "/s";
  return rate;
}

function streamRow({ account, stream }, at, kept) {
  const { state, config } = stream;
  const rate = ratesOf("s " + account + " " + stream.name, { written: state.last_seq }, at, kept);
  return row([
    ["Stream", stream.name, "wide"],
    ["Account", account],
    ["Storage", config.storage],
    ["Stored", rate("written"), "n"],
    ["Messages", number(state.messages), "n"],
    ["Data", bytes(state.bytes), "n"],
    ["Subjects", number(state.num_subjects || 0), "n"],
    ["Consumers", number(state.consumer_count), "n"],
  ]);
}

function consumerRow({ account, stream, consumer }, at, kept) {
  const { delivered, ack_floor: floor } = consumer;
  const key = "c " + account + " " + stream.name + " " + consumer.name;
  const counts = { delivered: delivered.consumer_seq, acknowledged: floor.consumer_seq };
  const rate = ratesOf(key, counts, at, kept);
  const acknowledges = consumer.config.ack_policy !== "none";
  return row([
    ["Consumer", consumer.name + (consumer.paused ? " (paused)" : ""), "wide"],
    ["Stream", stream.name, "from"],
    ["Delivered", rate("delivered"), "n"],
    ["Acknowledged", acknowledges ? rate("acknowledged") : "\u2013", "n"],
    ["Lag", number(consumer.num_pending), "n"],
    ["Pending", number(consumer.num_ack_pending), "n"],
    ["Redelivered", number(consumer.num_redelivered), consumer.num_redelivered > 0 ? "n bad" : "n"],
    ["Waiting", number(consumer.num_waiting), "n"],
  ]);
}

function showJetStream(jsz) {
  for (const id of ["jetstream", "consuming"]) $(id).hidden = Boolean(jsz.disabled);
  if (jsz.disabled) return;
  const at = Date.parse(jsz.now);
  const kept = new Map();
  const streams = (jsz.account_details || []).flatMap(({ name: account, stream_detail: details }) =>
    (details || []).map((stream) => ({ account, stream })),
  );
  const consumers = streams
    .flatMap(({ account, stream }) =>
      (stream.consumer_detail || []).map((consumer) => ({ account, stream, consumer })),
    )
    .sort((a, b) => b.consumer.num_pending - a.consumer.num_pending);
  fill("streams", streams.map((each) => streamRow(each, at, kept)), "There are no streams.");
  const shown = consumers.slice(0, MOST_CONSUMERS);
  fill("consumers", shown.map((each) => consumerRow(each, at, kept)), "There are no consumers.");
  earlier = { at, counts: kept };
  const of = (all, some) => all + (all > some ? ", of which " + some : "");
  const held = number(jsz.messages) + " messages, " + bytes(jsz.bytes);
  $("stored").textContent = of(jsz.streams, streams.length) + " \u2013 " + held;
  $("consumed").textContent = of(jsz.consumers, shown.length) + (shown.length > 1 ? ", by lag" : "");
}
`;
