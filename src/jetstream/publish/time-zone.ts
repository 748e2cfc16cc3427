const HOUR_MS = 3_600_000;
/** No zone changes its offset twice in so short a time. */
const BLOCK_MS = 14 * 24 * HOUR_MS;
/** How many blocks are remembered: schedules look up to five years ahead. */
const MAX_BLOCKS = 300;

/** A stretch of time in which the offset changes once, or not at all. */
interface Block {
  readonly before: number;
  readonly after: number;
  /** When it changes, in ms. */
  readonly change: number;
}

/** A time zone: what clocks in it show. Times are in ms; a local time is the time that clocks show, as if it were UTC. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  /** By number. Asking the platform for an offset takes long, and a schedule that is never due asks thousands of times. */
  readonly #blocks = new Map<number, Block>();

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format;
  }

  /** The zone of this name of the IANA database ("Europe/Berlin"); undefined when there is none. Names are case-sensitive. */
  static named(name: string): TimeZone | undefined {
    // Offsets such as "+02:00" are no names.
    if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return undefined;
    try {
      const format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
      const { timeZone } = format.resolvedOptions();
      if (timeZone !== name && timeZone.toLowerCase() === name.toLowerCase()) return undefined;
      return new TimeZone(format);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** What clocks show at a time. */
  localAt(time: number): number {
    return time + this.#offsetAt(time);
  }

  /** When clocks show a local time: one that is skipped or comes twice means the same as in Go (`time.Date`). */
  timeOf(local: number): number {
    const guess = this.#offsetAt(local);
    return guess === 0 ? local : local - this.#offsetAt(local - guess);
  }

  #offsetAt(time: number): number {
    const number = Math.floor(time / BLOCK_MS);
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = this.#readBlock(number);
      if (this.#blocks.size >= MAX_BLOCKS) this.#blocks.clear();
      this.#blocks.set(number, block);
    }
    return time < block.change ? block.before : block.after;
  }

  #readBlock(number: number): Block {
    const start = number * BLOCK_MS;
    const before = this.#blocks.get(number - 1)?.after ?? this.#look(start);
    let change = start + BLOCK_MS;
    const after = this.#look(change);
    if (before === after) return { before, after, change };
    // Clocks are changed at whole seconds.
    for (let from = start; change - from > 1_000; ) {
      const middle = from + Math.floor((change - from) / 2_000) * 1_000;
      if (this.#look(middle) === before) from = middle;
      else change = middle;
    }
    return { before, after, change };
  }

  #look(time: number): number {
    const whole = Math.floor(time / 1_000) * 1_000;
    const parts = new Map(this.#format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const local = Date.UTC(
      part("year"),
      part("month") - 1,
      part("day"),
      part("hour"),
      part("minute"),
      part("second"),
    );
    return local - whole;
  }
}

/** The zones that schedules use, made once. */
export class TimeZones {
  readonly #zones = new Map<string, TimeZone>();
  readonly #max: number;

  /** @param max - how many are kept. */
  constructor(max = 64) {
    this.#max = max;
  }

  /** The zone of this name; undefined when there is none. */
  get(name: string): TimeZone | undefined {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    const zone = TimeZone.named(name);
    if (zone === undefined) return undefined;
    if (this.#zones.size >= this.#max) this.#zones.clear();
    this.#zones.set(name, zone);
    return zone;
  }
}
