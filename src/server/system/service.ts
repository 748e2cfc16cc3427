/** What the server can be asked for, of itself. */
const SERVER_VIEWS = [
  "VARZ",
  "SUBSZ",
  "CONNZ",
  "ROUTEZ",
  "GATEWAYZ",
  "LEAFZ",
  "ACCOUNTZ",
  "JSZ",
  "HEALTHZ",
  "EXPVARZ",
  "IPQUEUESZ",
  "RAFTZ",
  "PROFILEZ",
] as const;

/** What only the server that is meant does. */
const CONTROLS = ["RELOAD", "KICK", "LDM"] as const;

/** What the server can be asked for, of an account. */
const ACCOUNT_VIEWS = ["SUBSZ", "CONNZ", "LEAFZ", "JSZ", "INFO", "STATZ"] as const;

export type ServerView = (typeof SERVER_VIEWS)[number];
export type ServerControlName = (typeof CONTROLS)[number];
export type AccountView = (typeof ACCOUNT_VIEWS)[number];

/** A service of the server's, as a subject names it. */
export type Service =
  | { readonly of: "client"; readonly name: "INFO" }
  | { readonly of: "server"; readonly name: ServerView | ServerControlName | "STATSZ" | "IDZ" }
  | { readonly of: "account"; readonly name: AccountView | "CONNS"; readonly account: string }
  | { readonly of: "accounts"; readonly name: "STATZ" | "NSUBS" | "SUBSCRIBERS" };

/** Who asks, and whom. */
export interface Asked {
  readonly subject: string;
  /** The account of the client that asks. */
  readonly account: string;
  /** Whether that is the system account. */
  readonly isSystem: boolean;
  readonly serverId: string;
}

/**
 * The service on a subject: all of them for clients of the system account, and for those of other accounts what is about themselves
 * (behaviour.md E.8). Undefined when there is none, or it is another server that is meant.
 */
export function serviceOn({ subject, account, isSystem, serverId }: Asked): Service | undefined {
  if (subject === "$SYS.REQ.USER.INFO") return { of: "client", name: "INFO" };
  if (!isSystem) return ownService(subject, account);
  if (subject === "$SYS.DEBUG.SUBSCRIBERS") return { of: "accounts", name: "SUBSCRIBERS" };
  const [, , scope, target, name, ...rest] = subject.split(".");
  if (rest.length > 0) return undefined;
  if (scope === "SERVER") return serverService(target, name, serverId);
  if (scope !== "ACCOUNT") return undefined;
  if (target === "NSUBS" && name === undefined) return { of: "accounts", name: "NSUBS" };
  return accountService(target, name);
}

/** What every account may ask, about itself. */
function ownService(subject: string, account: string): Service | undefined {
  switch (subject) {
    case "$SYS.REQ.ACCOUNT.PING.CONNZ":
    case "$SYS.REQ.SERVER.PING.CONNZ":
      return { of: "account", name: "CONNZ", account };
    case "$SYS.REQ.ACCOUNT.PING.STATZ":
      return { of: "account", name: "STATZ", account };
    default:
      return undefined;
  }
}

function serverService(target: string, name: string | undefined, serverId: string): Service | undefined {
  const ours = target === serverId;
  if (target !== "PING" && !ours) return undefined;
  // "$SYS.REQ.SERVER.PING" is a service, and the same with an id is none.
  if (name === undefined) return ours ? undefined : { of: "server", name: "STATSZ" };
  if (name === "STATSZ" || name === "IDZ") return { of: "server", name };
  const control = oneOf(CONTROLS, name);
  if (control !== undefined) return ours ? { of: "server", name: control } : undefined;
  const view = oneOf(SERVER_VIEWS, name);
  return view && { of: "server", name: view };
}

function accountService(account: string, name: string | undefined): Service | undefined {
  if (account === "PING") return name === "STATZ" ? { of: "accounts", name } : undefined;
  if (name === "CONNS") return { of: "account", name, account };
  const view = oneOf(ACCOUNT_VIEWS, name);
  return view && { of: "account", name: view, account };
}

function oneOf<T extends string>(names: readonly T[], name: string | undefined): T | undefined {
  return names.find((each) => each === name);
}
