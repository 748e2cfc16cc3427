import type { ApiError } from "../errors.ts";
import { writeText } from "../json/scalars.ts";
import { externalStream, type StreamSource, subjectTransform } from "../stream/source.ts";

/** How a mirror or source is doing. */
export interface OriginInfo {
  readonly source: StreamSource;
  readonly showsFilter: boolean;
  /** How many messages it is behind. */
  readonly lag: number;
  /** How long ago the origin was heard of, in ms; undefined when it never was. */
  readonly silence: number | undefined;
  readonly error: ApiError | undefined;
}

/** It as the API shows it (nats-server `StreamSourceInfo`). */
export function writeOriginInfo({ source, showsFilter, lag, silence, error }: OriginInfo): string {
  const { name, external, filterSubject, subjectTransforms } = source;
  const active = silence === undefined ? -1 : Math.round(silence * 1_000_000);
  const parts = [`"name":${writeText(name)}`];
  if (external !== undefined) parts.push(`"external":${externalStream.write(external)}`);
  parts.push(`"lag":${lag}`, `"active":${active}`);
  if (error !== undefined) parts.push(`"error":${JSON.stringify(error)}`);
  if (showsFilter && filterSubject !== "") parts.push(`"filter_subject":${writeText(filterSubject)}`);
  if (subjectTransforms.length > 0) {
    parts.push(`"subject_transforms":[${subjectTransforms.map(subjectTransform.write).join(",")}]`);
  }
  return `{${parts.join(",")}}`;
}
