/** The most names in one answer. */
export const NAMES_LIMIT = 1_024;
/** The most streams or consumers, with all about them, in one answer. */
export const LIST_LIMIT = 256;
/** The most subjects of a stream in one answer. */
export const SUBJECTS_LIMIT = 100_000;

/** A part of a list, and where it is in it. */
export interface Page<T> {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly items: readonly T[];
}

/** The part of a list that begins at an offset, which is put to the list's bounds when it is beyond them. */
export function pageOf<T>(all: readonly T[], offset: number, limit: number): Page<T> {
  const from = Math.min(Math.max(0, offset), all.length);
  return { total: all.length, offset: from, limit, items: all.slice(from, from + limit) };
}
