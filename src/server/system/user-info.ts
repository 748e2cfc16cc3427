import type { PermissionRules, SubjectRules } from "../../broker/permissions.ts";
import type { Session } from "../../broker/session.ts";
import { nanoseconds, orOmit } from "../monitor/go-format.ts";

/** What a user is told of itself (nats-server events.go `UserInfo`). */
export function userInfo(session: Session) {
  const { account, login, permissions } = session;
  return {
    user: login.user ?? "",
    account: account.name,
    account_name: account.name,
    permissions: permissions && publicRules(permissions.rules),
  };
}

function publicRules(rules: PermissionRules) {
  const { responses } = rules;
  return {
    publish: subjects(rules.publish),
    subscribe: subjects(rules.subscribe),
    responses: responses && { max: responses.max, ttl: nanoseconds(responses.expires) },
  };
}

function subjects({ allow, deny }: SubjectRules) {
  if ((allow === undefined || allow.length === 0) && deny.length === 0) return undefined;
  return { allow: orOmit(allow), deny: orOmit(deny) };
}
