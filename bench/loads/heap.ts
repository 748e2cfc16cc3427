import process from "node:process";
import type { NatsConnection } from "@nats-io/nats-core";

/** Messages of one round: few enough for the garbage collector to stay away from most rounds. */
const ROUND = 1_000;

/** How many bytes of heap and buffers a message takes from `publish` to the callback that reads it, both ends in this process. */
export async function heapPerMessage(
  publisher: NatsConnection,
  subscriber: NatsConnection,
  load: { readonly size: number; readonly count: number },
): Promise<{ bytes: number }> {
  let got = 0;
  let wake = (): void => {};
  subscriber.subscribe("bench", {
    callback: (_error, msg) => {
      if (msg.data.length !== load.size) throw new Error("a message is not whole");
      if (++got % ROUND === 0) wake();
    },
  });
  await subscriber.flush();
  const payload = new Uint8Array(load.size).fill(7);
  const growths: number[] = [];
  for (let sent = 0; sent < load.count; sent += ROUND) {
    const all = new Promise<void>((resolve) => (wake = resolve));
    const before = held();
    for (let i = 0; i < ROUND; i++) publisher.publish("bench", payload);
    await all;
    // A round in which garbage was collected tells nothing.
    const growth = held() - before;
    if (growth > 0) growths.push(growth / ROUND);
  }
  growths.sort((a, b) => a - b);
  return { bytes: growths[growths.length >> 1] };
}

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
