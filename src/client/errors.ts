/** Thrown by `publish` and `request` while the connection is being made anew and its buffer takes no more (option `reconnectBufferSize`). */
export class ReconnectBufferExceededError extends Error {
  override readonly name = "ReconnectBufferExceededError";
  /** The size of the buffer in bytes; 0 when it is switched off. */
  readonly limit: number;

  constructor(limit: number) {
    super(
      limit === 0
        ? "the connection is lost, and nothing is buffered meanwhile (reconnectBufferSize is -1)"
        : `the connection is lost, and reconnectBufferSize (${limit} bytes) is used up`,
    );
    this.limit = limit;
  }
}

/** Thrown by `publish` and `request` when the network does not take what was published before (option `writeBufferSize`). */
export class WriteBufferExceededError extends Error {
  override readonly name = "WriteBufferExceededError";
  /** The size of the buffer in bytes. */
  readonly limit: number;

  constructor(limit: number) {
    super(`the server does not take what is published, and writeBufferSize (${limit} bytes) is used up`);
    this.limit = limit;
  }
}
