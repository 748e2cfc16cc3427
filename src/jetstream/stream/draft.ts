import { invalidStreamConfig } from "../errors.ts";
import type { StreamConfig } from "./config.ts";

/** A configuration that is being put right. */
export type StreamDraft = { -readonly [K in keyof StreamConfig]: StreamConfig[K] };

/** @throws ApiError that the configuration is not valid, if `broken`. */
export function deny(broken: boolean, err: string): void {
  if (broken) throw invalidStreamConfig(err);
}
