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
