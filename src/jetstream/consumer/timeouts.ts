import { ALARMS } from "./alarm.ts";
import { ACK_DELAY_MS, ackWait, type Delivery } from "./delivery.ts";
import type { ConsumerOwner } from "./owner.ts";
import type { Redeliveries } from "./redeliveries.ts";

/** Has those messages delivered again that were not acknowledged in time; those that have been often enough are given up. */
export function checkTimeouts(owner: ConsumerOwner, redeliveries: Redeliveries, delivery: Delivery): void {
  const { state, config, host, alarm } = owner;
  const { pending } = state;
  const now = host.account.clock.monotonic();
  let next = Infinity;
  let shift = Number.NaN;
  for (let place = pending.first(); place >= 0; place = pending.next(place)) {
    const again = pending.redeliveries(place);
    const wait = ackWait(config, again);
    if (wait <= 0) return;
    const due = pending.time(place) + wait;
    if (due > now) {
      next = Math.min(next, due);
      continue;
    }
    if (pending.isQueued(place)) continue;
    const deliveries = Math.max(1, again);
    if (config.maxDeliver > 0 && deliveries >= config.maxDeliver) {
      delivery.exhausted(place, deliveries);
      continue;
    }
    redeliveries.add(place);
    // The next wait counts from now; what was delivered later comes later again.
    if (Number.isNaN(shift)) shift = now - pending.time(place);
    pending.setTime(place, pending.time(place) + shift);
    next = Math.min(next, pending.time(place) + ackWait(config, again + 1));
  }
  if (next !== Infinity) alarm.setEarliest(ALARMS.acks, next + ACK_DELAY_MS);
  owner.wake();
}

/** When the last of the waits for an acknowledgement is over, as `Clock.monotonic` has it; -Infinity when there is none. */
export function lastWait({ state, config }: ConsumerOwner): number {
  const { pending } = state;
  let last = -Infinity;
  for (let place = pending.first(); place >= 0; place = pending.next(place)) {
    last = Math.max(last, pending.time(place) + ackWait(config, pending.redeliveries(place)) + ACK_DELAY_MS);
  }
  return last;
}
