import type { Clock } from "../../seams/clock.ts";
import type { Consumer } from "../consumer/consumer.ts";
import { timestampOf } from "../json/timestamps.ts";
import type { PendingDelivery } from "./consumer-state.ts";
import type { SnapshotConsumer } from "./sink.ts";

/** A consumer as it is now, for a snapshot. */
export function consumerSnapshot(consumer: Consumer, clock: Clock): SnapshotConsumer {
  const { pending, exhausted, delivered, floor } = consumer.state;
  // Times in the state are those of `Clock.monotonic`.
  const epoch = clock.now() - clock.monotonic();
  const deliveries = new Map<number, PendingDelivery>();
  const redelivered = new Map(exhausted);
  for (let place = pending.first(); place >= 0; place = pending.next(place)) {
    const seq = pending.seq(place);
    const time = Math.max(0, pending.time(place) + epoch);
    deliveries.set(seq, { consumerSeq: pending.consumerSeq(place), time });
    const again = pending.redeliveries(place);
    if (again > 0) redelivered.set(seq, again);
  }
  return {
    name: consumer.consumer,
    created: timestampOf(consumer.created),
    config: consumer.config,
    state: { delivered: { ...delivered }, ackFloor: { ...floor }, pending: deliveries, redelivered },
  };
}
