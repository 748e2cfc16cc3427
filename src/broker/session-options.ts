import type { ConnectOptions } from "../protocol/connect-options.ts";
import type { Slab } from "../protocol/slab.ts";
import type { Account } from "./account.ts";
import type { ConnectionType } from "./authenticator.ts";

/** What a session is made with. */
export interface SessionOptions {
  /** Where the client is, for INFO and logs; "" for one in this process. */
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly slab: Slab;
  /** The way that the client came in. */
  readonly type: ConnectionType;
  /** What stands for fields that `CONNECT` leaves out. */
  readonly credentials?: Partial<ConnectOptions>;
  /** Who is behind a proxy, as that says; for logs. */
  readonly forwardedFor?: string;
  /** The account, for a session of the server's own; it is no connection. */
  readonly internal?: Account;
}
