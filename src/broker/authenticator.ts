import type { ConnectOptions } from "../protocol/connect-options.ts";
import type { Account } from "./account.ts";
import type { Permissions } from "./permissions.ts";

/** The ways in, as `allowed_connection_types` names them. */
export type ConnectionType = "STANDARD" | "WEBSOCKET" | "IN_PROCESS";

/** What is known of a client that wants in. */
export interface Candidate {
  /** What its `CONNECT` said; for a client over WebSocket, with what its cookies said in place of what it left out. */
  readonly options: Readonly<ConnectOptions>;
  readonly type: ConnectionType;
  /** Whether it has gone meanwhile: then nothing need be decided any more. */
  gone?(): boolean;
}

/** What a client is that was let in. */
export interface Admission {
  readonly account: Account;
  /** Its user's name; undefined where clients have none. */
  readonly user: string | undefined;
  /** Undefined for a user that may do everything. */
  readonly permissions: Permissions | undefined;
  /** The password or token that the client's was checked against, as the options have it; undefined where none was asked for. */
  readonly checkedBy: string | undefined;
}

/** Decides who a client is. A server without one lets everybody in. */
export interface Authenticator {
  /** How long a client may take to say who it is, in ms. */
  readonly timeout: number;
  /** Whether clients that come in that way must say who they are. */
  asks(type: ConnectionType): boolean;
  /** Whether their first INFO leaves out `auth_required` all the same, as there is a `no_auth_user` for them (nats-server `createClientEx`). */
  omitsAuthRequired(type: ConnectionType): boolean;
  /** Lets a client in, or (undefined) does not. A promise when a password takes long to check; it never rejects. */
  admit(candidate: Candidate): Admission | undefined | Promise<Admission | undefined>;
  /** Lets a client in that begins without `CONNECT`, if there is a user for such (`no_auth_user`). */
  admitUnnamed(type: ConnectionType): Admission | undefined;
  /** Whether, and as what, a client that is in may stay after the rules have changed. @param before - undefined when nobody asked it. */
  admitAgain(candidate: Candidate, before: Admission | undefined): Admission | undefined;
  /** The account of the user of that name; undefined when there is none in the list. */
  accountOf(user: string): Account | undefined;
}
