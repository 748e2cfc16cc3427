/** The machine and the process that the server runs in, for monitoring. */
export interface Host {
  /** How many cores the process may use. */
  readonly cores: number;
  /** Bytes of memory that the machine has. */
  readonly totalMemory: number;
  /** Bytes that are free on the disk of a directory, which need not be there yet. */
  freeSpace(directory: string): Promise<number>;
  /** Bytes of memory that the process holds (resident set). */
  memory(): number;
  /** Processor time used of late, in percent of one core. */
  cpu(): number;
}
