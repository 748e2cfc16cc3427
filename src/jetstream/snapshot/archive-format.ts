/**
 * The archive that servers from 2.15 on make: entries, one behind the other. Each is a head of numbers of variable length, then a name, then
 * headers and a payload:
 *
 *     length of name | time in ns (signed) | sequence | length of headers | length of payload | name | headers | payload
 */

/** What an archive begins with. */
export const ARCHIVE_MAGIC = "NATSARC1";

/** No name is longer. */
export const MAX_NAME = 1024 * 1024;

/** The first entry: the stream's state. */
export const STATE_ENTRY = "state.json";
/** Entries of consumers follow, then those of messages, which are named by their subjects. */
export const CONSUMER_PREFIX = "consumers/";

/** The head of an entry. */
export interface ArchiveEntry {
  readonly name: string;
  /** In ms since the epoch. */
  readonly time: number;
  /** A message's; otherwise 0. */
  readonly seq: number;
  readonly headers: number;
  readonly payload: number;
}
