import { encodeText } from "../protocol/text.ts";

/** The longest name of a stream or a durable consumer, in bytes. */
export const MAX_NAME_LENGTH = 255;
/** The longest description, in bytes. */
export const MAX_DESCRIPTION_LENGTH = 4 * 1024;
/** The most bytes of metadata, names and values together. */
export const MAX_METADATA_LENGTH = 128 * 1024;

/** Whether a stream or a consumer may be called so: it becomes a token of subjects and the name of a folder. */
export function isAssetName(name: string): boolean {
  return /^[^ \t\r\n\f.*>\\/]+$/.test(name);
}

/** The length of a text in bytes. */
export function byteLength(text: string): number {
  return encodeText(text).length;
}

/** The bytes that names and values of metadata take together. */
export function metadataLength(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + byteLength(name) + byteLength(value),
    0,
  );
}
