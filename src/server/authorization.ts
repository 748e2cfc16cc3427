import type { Account } from "../broker/account.ts";
import type { Admission, Authenticator, Candidate, ConnectionType } from "../broker/authenticator.ts";
import { Permissions } from "../broker/permissions.ts";
import { sameText } from "../protocol/text.ts";
import type { Passwords } from "../seams/passwords.ts";
import { permissionRules } from "./options/permission-rules.ts";
import type { PermissionsOptions, ServerOptions } from "./options/types.ts";

/** What is asked of a client that names no user of the list. */
interface Secret {
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly password: string;
  readonly noAuthUser: string | undefined;
}

/** A user of the list. */
interface User {
  readonly name: string;
  readonly password: string;
  readonly account: Account;
  readonly permissions: Permissions | undefined;
  /** The ways in that are open to the user; undefined for all. */
  readonly types: ReadonlySet<string> | undefined;
}

/** What a client says of itself, and what it is if its password or token is the right one. */
interface Claim {
  readonly admission: Admission;
  /** The password or token that it gives. */
  readonly given: string;
}

/** How long a client may take to say who it is, in ms, where nothing else is said (nats-server `AUTH_TIMEOUT`). */
const DEFAULT_TIMEOUT_MS = 2_000;

/** The options that say who may connect. */
type AuthorizationRules = Pick<ServerOptions, "authorization" | "accounts" | "noAuthUser" | "websocket">;

/** What an {@link Authorization} is made with. */
export interface AuthorizationContext {
  readonly passwords: Passwords;
  /** The account of that name; without a name, the one of users who name none. */
  account(name: string | undefined): Account;
  /** The account that needs no user to be reached, when only the system account has users. */
  readonly systemAccount: string | undefined;
}

/**
 * Who may connect, by the options `authorization`, `accounts`, `noAuthUser` and those of the WebSocket listener (behaviour.md C.1, C.2).
 * It does not change; a reload makes another one.
 */
export class Authorization implements Authenticator {
  readonly timeout: number;
  /** Whether there is a password in clear text among them, or a user without any, which nats-server warns of. */
  readonly hasPlaintext: boolean;
  readonly #users: ReadonlyMap<string, User>;
  readonly #secret: Secret;
  readonly #websocket: Secret | undefined;
  readonly #passwords: Passwords;
  readonly #globalAccount: Account;
  /** Users exist only in the system account: everybody else may still use the global one without a name (behaviour.md C.8). */
  readonly #openToAll: boolean;

  constructor(options: AuthorizationRules, context: AuthorizationContext) {
    const { authorization, websocket, noAuthUser } = options;
    this.#passwords = context.passwords;
    this.#globalAccount = context.account(undefined);
    this.#users = readUsers(options, context);
    this.#secret = {
      token: authorization?.token,
      user: authorization?.user,
      password: authorization?.password ?? "",
      noAuthUser,
    };
    const own = websocket?.authorization;
    this.#websocket =
      own?.user !== undefined || own?.token !== undefined || websocket?.noAuthUser !== undefined
        ? {
            token: own?.token,
            user: own?.user,
            password: own?.password ?? "",
            noAuthUser: websocket?.noAuthUser,
          }
        : undefined;
    this.timeout = authorization?.timeout ?? DEFAULT_TIMEOUT_MS;
    const onlySystem =
      this.#users.size > 0 && [...this.#users.values()].every((user) => user.account.isSystem);
    this.#openToAll =
      onlySystem &&
      authorization === undefined &&
      noAuthUser === undefined &&
      hasOnlySystem(options, context);
    const { password = "" } = authorization ?? {};
    const ofUsers = [...this.#users.values()].map((user) => user.password);
    this.hasPlaintext = [...(password === "" ? [] : [password]), ...ofUsers].some((each) => !isBcrypt(each));
  }

  /** Whether there is anything to ask at all. */
  get needed(): boolean {
    return this.#asksAll || this.#websocket !== undefined;
  }

  get #asksAll(): boolean {
    return this.#users.size > 0 || this.#secret.token !== undefined || this.#secret.user !== undefined;
  }

  asks(type: ConnectionType): boolean {
    return this.#asksAll || (type === "WEBSOCKET" && this.#websocket !== undefined);
  }

  omitsAuthRequired(type: ConnectionType): boolean {
    return type !== "WEBSOCKET" && this.#secret.noAuthUser !== undefined;
  }

  admit(candidate: Candidate): Admission | undefined | Promise<Admission | undefined> {
    const claim = this.#claim(candidate);
    if (claim === undefined) return undefined;
    const { admission, given } = claim;
    const wanted = admission.checkedBy;
    if (wanted === undefined) return admission;
    if (!isBcrypt(wanted)) return sameText(wanted, given) ? admission : undefined;
    return this.#passwords
      .verify(wanted, given, candidate.gone)
      .then((same) => (same ? admission : undefined));
  }

  admitUnnamed(type: ConnectionType): Admission | undefined {
    if (this.#openToAll) return this.#anybody(undefined, undefined);
    const name = this.#secretFor(type).noAuthUser;
    const user = name === undefined ? undefined : this.#users.get(name);
    return user !== undefined && allowsType(user, type) ? admissionOf(user, undefined) : undefined;
  }

  /** A hash takes too long to be checked again: who was checked against the same one stays, and who was not comes again. */
  admitAgain(candidate: Candidate, before: Admission | undefined): Admission | undefined {
    const claim = this.#claim(candidate);
    if (claim === undefined) return undefined;
    const { admission, given } = claim;
    const wanted = admission.checkedBy;
    if (wanted === undefined) return admission;
    if (wanted === before?.checkedBy && admission.user === before.user) return admission;
    return !isBcrypt(wanted) && sameText(wanted, given) ? admission : undefined;
  }

  accountOf(user: string): Account | undefined {
    return this.#users.get(user)?.account;
  }

  /** Who a client says it is: what it will be if that is true. Undefined when there is nobody like that. */
  #claim({ options, type }: Candidate): Claim | undefined {
    const secret = this.#secretFor(type);
    if (this.#users.size > 0) {
      if (options.user === "" && options.pass === "" && options.auth_token === "") {
        const admission = this.admitUnnamed(type);
        return admission && { admission, given: "" };
      }
      if (options.user !== "") {
        const user = this.#users.get(options.user);
        if (user === undefined || !allowsType(user, type)) return undefined;
        return { admission: admissionOf(user, user.password), given: options.pass };
      }
    }
    if (secret.token !== undefined)
      return { admission: this.#anybody(undefined, secret.token), given: options.auth_token };
    if (secret.user === undefined || secret.user !== options.user) return undefined;
    return { admission: this.#anybody(secret.user, secret.password), given: options.pass };
  }

  #secretFor(type: ConnectionType): Secret {
    return type === "WEBSOCKET" && this.#websocket !== undefined ? this.#websocket : this.#secret;
  }

  #anybody(user: string | undefined, checkedBy: string | undefined): Admission {
    return { account: this.#globalAccount, user, permissions: undefined, checkedBy };
  }
}

/** Whether a password is a bcrypt hash (nats-server `validBcryptPrefix`). */
export function isBcrypt(password: string): boolean {
  return /^\$2[abxy]\$\d{2}\$/.test(password);
}

function admissionOf(user: User, checkedBy: string | undefined): Admission {
  return { account: user.account, user: user.name, permissions: user.permissions, checkedBy };
}

function allowsType(user: User, type: ConnectionType): boolean {
  return user.types === undefined || user.types.has(type);
}

function readUsers(options: AuthorizationRules, context: AuthorizationContext): Map<string, User> {
  const users = new Map<string, User>();
  const add = (
    list: readonly {
      user: string;
      password?: string;
      permissions?: PermissionsOptions;
      allowedConnectionTypes?: string[];
    }[],
    fallback: PermissionsOptions | undefined,
    account: Account,
  ): void => {
    for (const { user: name, password = "", permissions = fallback, allowedConnectionTypes } of list) {
      const types = allowedConnectionTypes?.map((type) => type.toUpperCase());
      users.set(name, {
        name,
        password,
        account,
        permissions: permissions && new Permissions(permissionRules(permissions)),
        types: types === undefined || types.length === 0 ? undefined : new Set(types),
      });
    }
  };
  const { authorization, accounts = {} } = options;
  add(authorization?.users ?? [], authorization?.defaultPermissions, context.account(undefined));
  for (const [name, account] of Object.entries(accounts)) {
    add(account.users ?? [], account.defaultPermissions, context.account(name));
  }
  return users;
}

function hasOnlySystem(options: AuthorizationRules, context: AuthorizationContext): boolean {
  return Object.keys(options.accounts ?? {}).every((name) => name === context.systemAccount);
}
