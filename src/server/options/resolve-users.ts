import { isLiteralSubject, isProtocolToken, isValidSubject } from "../../protocol/subject.ts";
import { invalid, listOf, objectOf, textOf, wholeNumberOf } from "./check.ts";
import { type CustomResolvers, resolveBlock } from "./resolve-block.ts";
import { resolveAccountJetStream } from "./resolve-jetstream.ts";
import { MAX_32 } from "./table/row.ts";
import type { AccountOptions, AuthorizationOptions, SubjectPermission, UserOptions } from "./types.ts";

/** Ways in that a user may be held to (behaviour.md C.3). */
export const CONNECTION_TYPES: readonly string[] = [
  "STANDARD",
  "WEBSOCKET",
  "LEAFNODE",
  "LEAFNODE_WS",
  "MQTT",
  "MQTT_WS",
  "IN_PROCESS",
];

/** Whether a subject may stand in permissions: a subject, or "subject queue" where queues may be named. */
export function isPermissionSubject(text: string, mayNameQueue: boolean): boolean {
  const parts = text.trim().split(/[ \t]+/);
  if (parts.length > (mayNameQueue ? 2 : 1)) return false;
  return parts.every((part) => isValidSubject(part) && !/[\n\f\r]/.test(part));
}

/** How the forms of authorization and accounts are checked. */
export const USER_RESOLVERS: CustomResolvers = {
  accountJetstream: resolveAccountJetStream,
  users: (given, path) => listOf(given, path, "users").map((user, i) => resolveUser(user, `${path}[${i}]`)),
  publishPermission: (given, path) => resolveSubjects(given, path, false),
  subscribePermission: (given, path) => resolveSubjects(given, path, true),
  responses: resolveResponses,
  authTimeout: (given, path) => wholeNumberOf(given, path, 1, MAX_32),
  accounts: (given, path) =>
    Object.fromEntries(
      Object.entries(objectOf(given, path)).map(([name, account]) => [
        name,
        resolveAccount(name, account, `${path}.${name}`),
      ]),
    ),
  msgTrace: resolveMsgTrace,
};

function resolveUser(given: unknown, path: string): UserOptions {
  const user = resolveBlock("user", given, path, USER_RESOLVERS) as unknown as UserOptions;
  textOf(user.user, `${path}.user`, "must be the user's name");
  const types = user.allowedConnectionTypes?.map((type) => type.toUpperCase());
  for (const type of types ?? []) {
    if (CONNECTION_TYPES.includes(type)) continue;
    throw invalid(`${path}.allowedConnectionTypes`, `must be of ${CONNECTION_TYPES.join(", ")}`, type);
  }
  return types === undefined ? user : { ...user, allowedConnectionTypes: types };
}

function resolveSubjects(
  given: unknown,
  path: string,
  mayNameQueue: boolean,
): string | string[] | SubjectPermission {
  const check = (subject: unknown, at: string): string => {
    const what = mayNameQueue ? "must be a subject, or a subject and a queue" : "must be a subject";
    const text = textOf(subject, at, what);
    if (!isPermissionSubject(text, mayNameQueue)) throw invalid(at, what, text);
    return text;
  };
  const list = (subjects: unknown, at: string): string[] => {
    if (typeof subjects === "string") return [check(subjects, at)];
    return listOf(subjects, at, "subjects").map((subject, i) => check(subject, `${at}[${i}]`));
  };
  if (typeof given === "string" || Array.isArray(given)) return list(given, path);
  const rules = objectOf(given, path);
  for (const field of Object.keys(rules)) {
    if (field !== "allow" && field !== "deny") {
      throw invalid(`${path}.${field}`, "is not an option; there are allow, deny");
    }
  }
  return {
    allow: rules.allow === undefined ? undefined : list(rules.allow, `${path}.allow`),
    deny: rules.deny === undefined ? undefined : list(rules.deny, `${path}.deny`),
  };
}

function resolveResponses(given: unknown, path: string): unknown {
  return typeof given === "boolean" ? given : resolveBlock("responses", given, path, USER_RESOLVERS);
}

function resolveAccount(name: string, given: unknown, path: string): AccountOptions {
  if (name === "$G") throw invalid(path, "is the account of those who name none, and cannot be configured");
  return resolveBlock("account", given, path, USER_RESOLVERS) as AccountOptions;
}

function resolveMsgTrace(given: unknown, path: string): AccountOptions["msgTrace"] {
  const { dest, sampling = 100, ...rest } = objectOf(given, path);
  for (const field of Object.keys(rest)) {
    throw invalid(`${path}.${field}`, "is not an option; there are dest, sampling");
  }
  const subject = textOf(dest, `${path}.dest`, "must be a subject");
  if (!isLiteralSubject(subject) || !isProtocolToken(subject)) {
    throw invalid(`${path}.dest`, "must be a subject without wildcards and spaces", subject);
  }
  return {
    dest: subject,
    sampling: wholeNumberOf(sampling, `${path}.sampling`, 1, 100),
  };
}

/**
 * Checks what must hold among users: one way to authorize, each name once, and `noAuthUser` among them.
 * @throws ServerError `INVALID_OPTION`.
 */
export function checkUsers(
  authorization: AuthorizationOptions | undefined,
  accounts: Readonly<Record<string, AccountOptions>>,
  noAuthUser: readonly [option: string, name: string | undefined][],
): void {
  const names = new Set<string>();
  const add = (users: readonly UserOptions[] | undefined, path: string): void => {
    for (const { user } of users ?? []) {
      if (names.has(user)) throw invalid(path, `names the user ${JSON.stringify(user)} twice`);
      names.add(user);
    }
  };
  add(authorization?.users, "authorization.users");
  for (const [name, account] of Object.entries(accounts)) add(account.users, `accounts.${name}.users`);
  const { user, password, token, users } = authorization ?? {};
  if (token !== undefined && (user !== undefined || password !== undefined)) {
    throw invalid("authorization.token", "cannot be given together with user and password");
  }
  const withUsers = users !== undefined || names.size > 0;
  if (withUsers && user !== undefined) {
    throw invalid("authorization.user", "cannot be given together with users");
  }
  if (withUsers && token !== undefined) {
    throw invalid("authorization.token", "cannot be given together with users");
  }
  for (const [option, name] of noAuthUser) {
    if (name !== undefined && name !== "" && !names.has(name)) {
      throw invalid(option, "must be one of the users", name);
    }
  }
}
