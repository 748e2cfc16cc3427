/** What is wrong with the source or the destination of a transform or a mapping, in nats-server's words (its errors.go). */
export class TransformError extends Error {
  override readonly name = "TransformError";
}

/** The source or the destination is no valid subject, or they do not go together. */
export const BAD_SUBJECT = "invalid subject";

const REASONS = {
  invalid: "invalid transform",
  unused: "not using all of the token wildcard(s)",
  unknown: "unknown function",
  range: "wildcard index out of range",
  tooFew: "not enough arguments passed to the function",
  argument: "function argument is invalid or in the wrong format",
  tooMany: "too many arguments passed to the function",
  imports: "the only mapping function allowed for import transforms is {{Wildcard()}}",
} as const;

/** The error of a destination; `where` is the token (or the whole) that is at fault, "" for none. */
export function destinationError(reason: keyof typeof REASONS, where: string): TransformError {
  const text = `invalid mapping destination: ${REASONS[reason]}`;
  return new TransformError(where === "" ? text : `${text} in ${where}`);
}
