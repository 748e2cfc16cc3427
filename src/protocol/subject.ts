/**
 * The rules of subjects (behaviour.md B.1, ADR-6): tokens split by `.`, `*` for one token, `>` for one or more at the end.
 * A wildcard is one only when it is the whole token: `foo*` is literal.
 */

/** Whether a subscription may have this subject: no empty token, and `>` only as the last token. */
export function isValidSubject(subject: string): boolean {
  let start = 0;
  for (;;) {
    const dot = subject.indexOf(".", start);
    const end = dot < 0 ? subject.length : dot;
    if (end === start) return false;
    if (dot < 0) return true;
    if (end - start === 1 && subject[start] === ">") return false;
    start = dot + 1;
  }
}

/** Whether a valid subject has no wildcard token: what pedantic mode asks of a published subject. */
export function isLiteralSubject(subject: string): boolean {
  let start = 0;
  for (;;) {
    const dot = subject.indexOf(".", start);
    const end = dot < 0 ? subject.length : dot;
    if (end === start) return false;
    if (end - start === 1 && (subject[start] === "*" || subject[start] === ">")) return false;
    if (dot < 0) return true;
    start = dot + 1;
  }
}

/** Whether a subject that may be invalid holds a wildcard token. */
export function hasWildcards(subject: string): boolean {
  let at = -1;
  for (;;) {
    const star = subject.indexOf("*", at + 1);
    const full = subject.indexOf(">", at + 1);
    if (star < 0 && full < 0) return false;
    at = star < 0 ? full : full < 0 ? star : Math.min(star, full);
    const before = at === 0 || subject[at - 1] === ".";
    const after = at === subject.length - 1 || subject[at + 1] === ".";
    if (before && after) return true;
  }
}

/** Whether the characters are ones that the protocol's separators leave to a subject, a queue name or an id: no space, tab, CR, LF. */
export function isProtocolToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 32 || (code >= 9 && code <= 13 && code !== 11)) return false;
  }
  return true;
}

/** Whether there is a literal subject that both patterns match. */
export function subjectsCollide(one: string, other: string): boolean {
  const a = one.split(".");
  const b = other.split(".");
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] === ">" || b[i] === ">") return true;
    if (a[i] !== b[i] && a[i] !== "*" && b[i] !== "*") return false;
  }
  return a.length === b.length;
}
