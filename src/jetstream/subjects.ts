import { isSubsetOf, isValidSource } from "../interest/subject-transform.ts";
import { hasWildcards, isLiteralSubject, isProtocolToken } from "../protocol/subject.ts";

/** Whether a stream or a consumer may ask for this subject: valid, and without white space. */
export const isFilterSubject = isValidSource;

/** Whether a message may be published to the subject: valid, without wildcards and white space. */
export function isPublishSubject(subject: string): boolean {
  return isLiteralSubject(subject) && isProtocolToken(subject);
}

/** Whether a subject holds no wildcard, be it valid or not. */
export function isWithoutWildcards(subject: string): boolean {
  return !hasWildcards(subject);
}

/** Whether all that matches `subject` matches `pattern` too. */
export function isSubset(subject: string, pattern: string): boolean {
  return isSubsetOf(subject.split("."), pattern.split("."));
}
