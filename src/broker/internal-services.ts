import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { Message } from "../protocol/message.ts";
import type { Session } from "./session.ts";

/** What the server itself does for clients on subjects that begin with `$SYS.REQ.` or `$JS.API.`. */
export interface InternalServices {
  /**
   * Takes a request, if it is one that is served to the client's account. The message may be used until the call returns.
   * @returns whether it was taken.
   */
  request(from: Session, message: Message): boolean;
}

/** Is told of connections, so that it can tell others. */
export interface ConnectionObserver {
  /** A client has been let in. */
  entered(session: Session): void;
  /** A client that INFO was sent to has gone. */
  left(session: Session, reason: ClosedReason): void;
  /** A client was not let in. @param checked - whether for its user, password or token, which its account hears of, too. */
  refused(session: Session, checked: boolean): void;
}
