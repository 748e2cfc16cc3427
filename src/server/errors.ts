/** What kind of thing went wrong: stable, to be compared by programs. */
export type ServerErrorCode =
  | "INVALID_OPTION"
  | "LISTEN_FAILED"
  /** The log file or the pid file cannot be written. */
  | "FILE_FAILED"
  /** The folder of JetStream cannot be used: another server has it, or it cannot be written to. */
  | "STORAGE_FAILED"
  | "SERVER_CLOSED"
  /** The changed configuration cannot be applied: nothing of it was. */
  | "RELOAD_FAILED"
  | "CONNECTION_REFUSED";

/** An error of the embedded server. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;
  /** The option that is at fault, as a path such as "listen.port"; undefined when none is. */
  readonly option: string | undefined;

  constructor(code: ServerErrorCode, message: string, details: { option?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.option = details.option;
  }
}

/** The error for an address that cannot be listened on; `option` names where it was given. */
export function listenFailed(
  option: string,
  address: { readonly host: string; readonly port: number },
  cause: unknown,
): ServerError {
  const why = (cause as Error).message;
  return new ServerError("LISTEN_FAILED", `cannot listen on ${address.host}:${address.port}: ${why}`, {
    option,
    cause,
  });
}
