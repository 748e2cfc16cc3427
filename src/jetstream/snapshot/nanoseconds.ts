/**
 * Moments as nats-server writes them: nanoseconds since 1970 in 64 bits, here two halves. Inside, a moment is ms with a fraction, exact to the microsecond.
 */

const HALF = 2 ** 32;

/** The moment, from the signed upper half and the lower one; what is finer than a microsecond is left out. */
export function msFromHalves(high: number, low: number): number {
  const upper = Math.floor(high / 1_000);
  const micros = upper * HALF + Math.floor(((high - upper * 1_000) * HALF + (low >>> 0)) / 1_000);
  return micros / 1_000;
}

/** The halves of a moment. */
export function halvesFromMs(ms: number): readonly [high: number, low: number] {
  const micros = Math.round(ms * 1_000);
  const upper = Math.floor(micros / HALF);
  const low = (micros - upper * HALF) * 1_000;
  return [upper * 1_000 + Math.floor(low / HALF), low % HALF];
}
