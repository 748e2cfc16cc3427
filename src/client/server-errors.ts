import { errors } from "./core.ts";

/** The error that a `-ERR` text means: the official client's classes. */
export function serverError(text: string): Error {
  return (
    errors.PermissionViolationError.parse(text) ??
    errors.UserAuthenticationExpiredError.parse(text) ??
    errors.AuthorizationError.parse(text) ??
    new errors.ProtocolError(text)
  );
}

/** Whether it says that the server does not take the client for who it says it is. */
export function isRefusal(error: Error): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}
