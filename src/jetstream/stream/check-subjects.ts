import { checkDestination, SubjectTransform, TransformError } from "../../interest/subject-transform.ts";
import { quote } from "../../protocol/faults.ts";
import { subjectsCollide } from "../../protocol/subject.ts";
import { apiError, pedantic } from "../errors.ts";
import { isFilterSubject, isSubset } from "../subjects.ts";
import type { Republish } from "./config.ts";
import { deny, type StreamDraft } from "./draft.ts";

/** What the API itself is served on: acknowledging publishes to it would answer requests. */
const API_SUBJECTS = ["$JS.>", "$JSC.>", "$NRG.>"];

/**
 * Checks which subjects a stream takes messages from; without any, and without mirror and sources, it takes those of its own name.
 * @throws ApiError
 */
export function checkSubjects(draft: StreamDraft): void {
  if (draft.subjects.length === 0) {
    if (draft.mirror === undefined && draft.sources.length === 0) draft.subjects = [draft.name];
    return;
  }
  if (draft.mirror !== undefined) throw apiError(10034);
  const seen = new Set<string>();
  draft.subjects.forEach((subject, i) => {
    deny(!isFilterSubject(subject), "invalid subject");
    deny(seen.has(subject), "duplicate subjects detected");
    seen.add(subject);
    if (subject === ">") {
      deny(!draft.noAck, "capturing all subjects requires no-ack to be true");
      deny(draft.numReplicas !== 1, "capturing all subjects requires replicas of 1");
    }
    if (!draft.noAck) checkApart(subject);
    for (const other of draft.subjects.slice(i + 1)) {
      deny(subjectsCollide(other, subject), `subject ${quote(subject)} overlaps with ${quote(other)}`);
    }
  });
}

/** A stream that acknowledges must keep away from the server's own subjects; only events may be stored. */
function checkApart(subject: string): void {
  const inApi = API_SUBJECTS.some((api) => subjectsCollide(subject, api));
  deny(
    inApi && !isSubset(subject, "$JS.EVENT.>"),
    "subjects that overlap with jetstream api require no-ack to be true",
  );
  deny(
    subjectsCollide(subject, "$SYS.>") && !isSubset(subject, "$SYS.ACCOUNT.>"),
    "subjects that overlap with system api require no-ack to be true",
  );
}

/**
 * Checks the rules by which a stream changes subjects and publishes again.
 * @throws ApiError
 */
export function checkSubjectRules(draft: StreamDraft, literally: boolean): void {
  const transform = draft.subjectTransform;
  if (transform !== undefined) {
    if (transform.src !== "" && !isFilterSubject(transform.src)) {
      throw apiError(10155, { err: `invalid subject ${transform.src}` });
    }
    const err = transformFault(transform.src, transform.dest);
    if (err !== undefined) throw apiError(10156, { err });
  }
  if (draft.republish !== undefined) draft.republish = checkedRepublish(draft, draft.republish, literally);
}

function checkedRepublish(draft: StreamDraft, given: Republish, literally: boolean): Republish {
  let republish = given;
  if (republish.src === "") {
    if (literally) throw pedantic("republish source can not be empty");
    republish = { ...republish, src: ">" };
  }
  const { subjectTransform, subjects } = draft;
  const all = republish.dest === ">" && republish.src === ">";
  // What the transform makes of the only subject can be published again without coming back.
  if (
    all &&
    subjectTransform !== undefined &&
    subjects.length === 1 &&
    subjectTransform.src === subjects[0]
  ) {
    if (literally) throw pedantic("implicit republish based on subject transform");
    republish = { ...republish, src: subjectTransform.dest, dest: subjectTransform.dest };
  }
  const { src, dest } = republish;
  deny(
    subjects.some((subject) => subjectsCollide(dest, subject)),
    "stream configuration for republish destination forms a cycle",
  );
  deny(
    dest !== "" && madeTransformFault(src, dest) !== undefined,
    `stream configuration for republish with transform from '${src}' to '${dest}' not valid`,
  );
  return republish;
}

/** What is wrong with a transform of a stream or a source; undefined when nothing is. Without a destination there is no transform. */
export function transformFault(source: string, destination: string): string | undefined {
  if (destination === "") return undefined;
  try {
    checkDestination(destination);
  } catch (error) {
    if (error instanceof TransformError) return error.message;
    throw error;
  }
  return madeTransformFault(source, destination);
}

function madeTransformFault(source: string, destination: string): string | undefined {
  try {
    new SubjectTransform(source, destination, { fraction: () => 0 });
    return undefined;
  } catch (error) {
    if (error instanceof TransformError) return error.message;
    throw error;
  }
}
