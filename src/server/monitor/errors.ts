/** A question to monitoring that cannot be answered; the text is nats-server's. */
export class MonitorError extends Error {
  override readonly name = "MonitorError";
  /** The HTTP status that says so. */
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}
