/** An error in our own code, not in anybody's input: it should never be seen, and must be loud when it is. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Stops with an {@link AssertionError} when what our own code relies on does not hold. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}
