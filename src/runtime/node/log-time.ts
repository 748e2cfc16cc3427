/** The time of a log line as Go's log package writes it, which is nats-server's format: `2026/01/02 15:04:05.000000`. */
export class LogTime {
  readonly #utc: boolean;
  /** `performance.now` of the Unix epoch, so that time has microseconds: `Date.now` has none. */
  #epoch = Number.NaN;
  #second = Number.NaN;
  #secondText = "";

  /** @param utc - UTC instead of the time of this machine's zone. */
  constructor(utc: boolean) {
    this.#utc = utc;
  }

  /** The time now. */
  now(): string {
    const wall = Date.now();
    const precise = this.#epoch + performance.now();
    // The clock of the machine may be set; `performance.now` does not follow it.
    if (Math.abs(precise - wall) < 2) return this.format(precise);
    this.#epoch = wall - performance.now();
    return this.format(wall);
  }

  /** @param at - milliseconds since the epoch, with a fraction. */
  format(at: number): string {
    const micros = Math.floor(at * 1_000);
    const second = Math.floor(micros / 1_000_000);
    // All but the fraction changes once a second only.
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = this.#textOf(new Date(second * 1_000));
    }
    return this.#secondText + String(micros - second * 1_000_000).padStart(6, "0");
  }

  #textOf(date: Date): string {
    const [year, month, day, hour, minute, second] = dateParts(date, this.#utc);
    return `${year}/${month}/${day} ${hour}:${minute}:${second}.`;
  }
}

/** Year, month, day, hour, minute and second, with leading zeros. */
export function dateParts(date: Date, utc: boolean): string[] {
  const parts = utc
    ? [
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCHours(),
        date.getUTCMinutes(),
        date.getUTCSeconds(),
      ]
    : [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  const year = utc ? date.getUTCFullYear() : date.getFullYear();
  return [String(year).padStart(4, "0"), ...parts.map((part) => String(part).padStart(2, "0"))];
}
