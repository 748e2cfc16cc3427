/** Where log lines go. A library says nothing unless it is given one. The levels are nats-server's. */
export interface Logger {
  notice(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  debug(text: string): void;
  /** Protocol lines, when tracing is on. */
  trace(text: string): void;
}

/** Says nothing. */
export const SILENT: Logger = {
  notice() {},
  warn() {},
  error() {},
  debug() {},
  trace() {},
};
