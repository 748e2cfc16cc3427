import { isPermissionSubject } from "../server/options/resolve-users.ts";
import type { SubjectPermission } from "../server/options/types.ts";
import type { ConfigValue } from "./language/tree.ts";
import type { BlockReader, CustomReader } from "./read-block.ts";
import { quoted, type Report, typeOf } from "./report.ts";

/** Subjects to publish on or to subscribe to: a subject, a list, or `{ allow, deny }` (behaviour.md C.5). */
export const publishPermission =
  (): CustomReader =>
  (value, { report }) =>
    permission(value, report, false);

export const subscribePermission =
  (): CustomReader =>
  (value, { report }) =>
    permission(value, report, true);

/** A subject or a list of them, for what a leaf node denies. */
export const permissionSubjects =
  (): CustomReader =>
  (value, { report }) =>
    subjects(value, report, false);

/** `allow_responses`: true, or how many and for how long. */
export const responses =
  (reader: BlockReader): CustomReader =>
  (value) =>
    value.content.kind === "bool" ? value.content.value : reader.block("responses", value);

function permission(
  value: ConfigValue,
  report: Report,
  mayNameQueue: boolean,
): string[] | SubjectPermission | undefined {
  const { content } = value;
  if (content.kind !== "map") return subjects(value, report, mayNameQueue);
  // Nothing said is nothing forbidden.
  if (content.value.size === 0) return undefined;
  const rules: SubjectPermission = {};
  for (const [key, each] of content.value) {
    const name = key.toLowerCase();
    if (name === "allow" || name === "deny") rules[name] = subjects(each, report, mayNameQueue);
    else if (!each.isVariable) {
      report.error(
        each,
        `Unknown field name ${quoted(key)} parsing subject permissions, only 'allow' or 'deny' are permitted`,
      );
    }
  }
  return rules;
}

function subjects(value: ConfigValue, report: Report, mayNameQueue: boolean): string[] | undefined {
  const { content } = value;
  const list: string[] = [];
  if (content.kind === "string") list.push(content.value);
  else if (content.kind === "array") {
    for (const each of content.value) {
      if (each.content.kind === "string") list.push(each.content.value);
      else report.error(each, "Subject in permissions array cannot be cast to string");
    }
  } else {
    const type = typeOf(content);
    return report.error(
      value,
      `Expected subject permissions to be a subject, or array of subjects, got ${type}`,
    );
  }
  for (const subject of list) {
    if (isPermissionSubject(subject, mayNameQueue)) continue;
    return report.error(value, `subject ${quoted(subject)} is not a valid subject`);
  }
  // In a file, unlike in options, a list of nothing is no list: it allows everything (nats-server parsePermSubjects).
  return list.length === 0 ? undefined : list;
}
