/** What is kept of a measurement that was repeated. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The median says what is usual whatever a few disturbed rounds say; min and max say how disturbed they were.
 * @throws RangeError when there are no values, as then nothing can be said.
 */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("there are no values to summarize");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
