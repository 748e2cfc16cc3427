import type { PermissionRules, SubjectRules } from "../../broker/permissions.ts";
import type { PermissionsOptions, SubjectPermission } from "./types.ts";

/** How many answers a request may get, and for how long (ms), when `allowResponses` does not say (nats-server `DEFAULT_ALLOW_RESPONSE_*`). */
const RESPONSES_MAX = 1;
const RESPONSES_EXPIRE_MS = 120_000;

/** The permissions of the options in the one form that the broker takes (behaviour.md C.5). */
export function permissionRules(options: PermissionsOptions): PermissionRules {
  const responses = responseRules(options.allowResponses);
  const publish = subjectRules(options.publish);
  return {
    // Whoever may answer requests may do nothing else unless it is said: "everything" would make the permit needless.
    publish: responses !== undefined && publish.allow === undefined ? { ...publish, allow: [] } : publish,
    subscribe: subjectRules(options.subscribe),
    responses,
  };
}

function subjectRules(given: string | string[] | SubjectPermission | undefined): SubjectRules {
  if (given === undefined) return { allow: undefined, deny: [] };
  if (typeof given === "string") return { allow: [given], deny: [] };
  if (Array.isArray(given)) return { allow: given, deny: [] };
  return { allow: given.allow, deny: given.deny ?? [] };
}

function responseRules(given: PermissionsOptions["allowResponses"]): PermissionRules["responses"] {
  if (given === undefined || given === false) return undefined;
  const { max = 0, expires = 0 } = given === true ? {} : given;
  return { max: max === 0 ? RESPONSES_MAX : max, expires: expires === 0 ? RESPONSES_EXPIRE_MS : expires };
}
