/**
 * The hash of a subject's bytes, taken while they are read (FNV-1a, 32 bits). It only finds a place in a table; the bytes are
 * compared there, and a place is never searched for long, so that chosen collisions cost a look-up and no more.
 */
export const HASH_SEED = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;

/** The hash of an ASCII text's bytes. */
export function hashText(text: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), HASH_PRIME);
  return hash;
}

/** The hash of bytes. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = HASH_SEED;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], HASH_PRIME);
  return hash;
}
