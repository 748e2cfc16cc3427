const NS_PER_MS = 1_000_000n;
const INT64_MAX = 2n ** 63n - 1n;
/** From here on a span is the longest that Go has: 292 years. */
const LONGEST_MS = Number(INT64_MAX / NS_PER_MS) + 0.775;

/** Milliseconds as whole nanoseconds. The longest span of Go stays itself. */
export function nanoseconds(ms: number): bigint {
  if (ms >= LONGEST_MS) return INT64_MAX;
  if (ms <= -LONGEST_MS) return -INT64_MAX - 1n;
  const whole = Math.trunc(ms);
  return BigInt(whole) * NS_PER_MS + BigInt(Math.round((ms - whole) * 1e6));
}
