/** A clock that was set back by more than this, in ms, is followed: what is stored by it should not wait for ever to be old enough to go. */
const MOST_AHEAD_MS = 3_600_000;

/**
 * When a message is said to have been stored: now, but at least a microsecond after the one before it, so that no two of a stream share a time. Where
 * more than a thousand come in a millisecond of the clock, and while it is behind after it was set back, times run ahead of it.
 * @param last - the time of the message before. Both are in ms since the epoch, in whole microseconds, and so is what is returned.
 */
export function timeAfter(last: number, now: number): number {
  return now > last || last - now > MOST_AHEAD_MS ? now : laterBy(last, 1);
}

/** A time so many microseconds later: the nearest number to that, which is the same after it was in a file. */
export function laterBy(time: number, micros: number): number {
  return (Math.round(time * 1_000) + micros) / 1_000;
}
