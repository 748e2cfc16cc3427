/** Where log lines go. A library says nothing unless it is given one. The levels are nats-server's. */
export interface Logger {
  notice(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  debug(text: string): void;
  /** Protocol lines, when tracing is on. */
  trace(text: string): void;
  /** What ends a server before it is ready. Without it that goes to `error`. */
  fatal?(text: string): void;
  /** Opens the log file anew, after it was moved away: for those that write one. */
  reopen?(): void;
}

/** Says nothing. */
export const SILENT: Logger = {
  notice() {},
  warn() {},
  error() {},
  debug() {},
  trace() {},
};

/** A {@link Logger} whose debug and trace lines can be switched, and that can be given another place to write to. */
export class SwitchedLogger implements Logger {
  /** Where lines go. */
  to: Logger;
  /** Whether debug lines are passed on. */
  debugOn: boolean;
  /** Whether trace lines are passed on. */
  traceOn: boolean;

  constructor(to: Logger, debugOn: boolean, traceOn: boolean) {
    this.to = to;
    this.debugOn = debugOn;
    this.traceOn = traceOn;
  }

  notice(text: string): void {
    this.to.notice(text);
  }

  warn(text: string): void {
    this.to.warn(text);
  }

  error(text: string): void {
    this.to.error(text);
  }

  debug(text: string): void {
    if (this.debugOn) this.to.debug(text);
  }

  trace(text: string): void {
    if (this.traceOn) this.to.trace(text);
  }

  fatal(text: string): void {
    if (this.to.fatal === undefined) this.to.error(text);
    else this.to.fatal(text);
  }

  reopen(): void {
    if (this.to.reopen === undefined) this.notice("File log re-open ignored, not a file logger");
    else this.to.reopen();
  }
}
