/** The machine and the process that the server runs in, for monitoring. */
export interface Host {
  /** How many cores the process may use. */
  readonly cores: number;
  /** Bytes of memory that the process holds (resident set). */
  memory(): number;
  /** Processor time used of late, in percent of one core. */
  cpu(): number;
}
