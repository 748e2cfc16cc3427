import { list, OMIT_EMPTY, optional, record } from "../json/codec.ts";
import { text, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp } from "../json/timestamps.ts";

/** A rule that makes one subject of another. */
export interface SubjectTransformConfig {
  readonly src: string;
  readonly dest: string;
}

/** Where a stream of another account or domain is reached. */
export interface ExternalStream {
  /** What stands in for `$JS.API`. */
  readonly api: string;
  /** What the subjects that messages are delivered to begin with. */
  readonly deliver: string;
}

/** A consumer that there is already, through which a stream is sourced. */
export interface StreamConsumerSource {
  readonly name: string;
  readonly deliverSubject: string;
}

/** A stream that is mirrored, or one of those that a stream takes messages from (behaviour.md D.11). */
export interface StreamSource {
  readonly name: string;
  readonly optStartSeq: number;
  readonly optStartTime: Timestamp | undefined;
  readonly filterSubject: string;
  readonly subjectTransforms: readonly SubjectTransformConfig[];
  readonly external: ExternalStream | undefined;
  readonly consumer: StreamConsumerSource | undefined;
}

/** A transform in JSON. */
export const subjectTransform = record<SubjectTransformConfig>("SubjectTransformConfig", [
  ["src", "src", text],
  ["dest", "dest", text],
]);

/** Another account's or domain's stream in JSON. */
export const externalStream = record<ExternalStream>("ExternalStream", [
  ["api", "api", text],
  ["deliver", "deliver", text],
]);

/** A source in JSON. */
export const streamSource = record<StreamSource>("StreamSource", [
  ["name", "name", text],
  ["opt_start_seq", "optStartSeq", uint64, OMIT_EMPTY],
  ["opt_start_time", "optStartTime", optional(timestamp), OMIT_EMPTY],
  ["filter_subject", "filterSubject", text, OMIT_EMPTY],
  ["subject_transforms", "subjectTransforms", list(subjectTransform), OMIT_EMPTY],
  ["external", "external", optional(externalStream), OMIT_EMPTY],
  [
    "consumer",
    "consumer",
    optional(
      record<StreamConsumerSource>("StreamConsumerSource", [
        ["name", "name", text, OMIT_EMPTY],
        ["deliver_subject", "deliverSubject", text, OMIT_EMPTY],
      ]),
    ),
    OMIT_EMPTY,
  ],
]);

/** What tells one source of a stream from another: two with the same key would bring each message twice. */
export function sourceKey(source: StreamSource): string {
  const { filterSubject, subjectTransforms, external, consumer } = source;
  const filters =
    subjectTransforms.length === 0
      ? [[filterSubject || ">", ">"]]
      : subjectTransforms.map(({ src, dest }) => [src || ">", dest || ">"]);
  return JSON.stringify([source.name, external?.api, consumer?.name, filters]);
}

/** What tells one consumer that is sourced through from another. */
export function sourceConsumerKey(source: StreamSource): string {
  return JSON.stringify([source.name, source.external?.api, source.consumer?.name]);
}

/** Whether two sources are the same, field by field. */
export function sameSource(one: StreamSource, other: StreamSource | undefined): boolean {
  return other !== undefined && streamSource.write(one) === streamSource.write(other);
}
