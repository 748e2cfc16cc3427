import { performance } from "node:perf_hooks";
import type { NatsConnection } from "@nats-io/nats-core";

/** Requests to "service", which answers each with what it asks. */
export interface Requests {
  readonly size: number;
  readonly count: number;
  /** How many are under way at a time. */
  readonly together: number;
}

/** Makes requests and counts them; a tenth goes before to warm up. With one at a time, `p50` is the median of their times in µs. */
export async function requests(
  connection: NatsConnection,
  load: Requests,
): Promise<{ rate: number; p50: number }> {
  await ask(connection, load, Math.ceil(load.count / 10));
  const start = performance.now();
  const times = await ask(connection, load, load.count);
  const seconds = (performance.now() - start) / 1000;
  times.sort();
  return { rate: load.count / seconds, p50: times[times.length >> 1] };
}

async function ask(connection: NatsConnection, load: Requests, count: number): Promise<Float64Array> {
  const payload = new Uint8Array(load.size).fill(7);
  const times = new Float64Array(count);
  let asked = 0;
  const one = async (): Promise<void> => {
    while (asked < count) {
      const i = asked++;
      const at = performance.now();
      const answer = await connection.request("service", payload, { timeout: 5_000 });
      if (answer.data.length !== load.size) throw new Error(`an answer of ${answer.data.length} bytes`);
      times[i] = (performance.now() - at) * 1000;
    }
  };
  await Promise.all(Array.from({ length: load.together }, one));
  return times;
}
