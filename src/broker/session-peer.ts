import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ServerVerbs } from "../protocol/verbs.ts";

/** The other end of a session, whatever lies between. */
export interface SessionPeer extends ServerVerbs {
  /** Whether the client takes headers; said after every `CONNECT`. */
  headers: boolean;
  /** What was said may go out now, and user code in this process may run. */
  flush(): void;
  /** The session has ended: send what is still to be sent, if there is a point in it, and close. */
  close(reason: ClosedReason): void;
  /** Whether so much waits for the client that those who write to it should be held back. */
  readonly behind: boolean;
  /** Whether more than three quarters of what may wait for the client does. */
  readonly stalled: boolean;
  /** Whether the session takes nothing of what the client says for now: who it is takes time to decide. */
  suspend(suspended: boolean): void;
  /** Bytes that wait for the client. */
  readonly pending: number;
  /** The way to the client and back, in ms; 0 while it is not known. */
  readonly rtt: number;
}
