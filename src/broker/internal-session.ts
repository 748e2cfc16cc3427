import type { Message } from "../protocol/message.ts";
import type { Account } from "./account.ts";
import type { Broker } from "./broker.ts";
import { Session } from "./session.ts";
import type { SessionPeer } from "./session-peer.ts";

/** The server itself in an account, as a session. It is no connection, and counts nowhere. */
export class InternalSession extends Session {
  constructor(broker: Broker, account: Account, peer: SessionPeer) {
    super(broker, peer, {
      remoteHost: "",
      remotePort: 0,
      slab: broker.context.slab,
      type: "IN_PROCESS",
      internal: account,
    });
  }

  /** From now on {@link heldBy} is one who gets what comes now. */
  forgetBehind(): void {
    this.behindPeer = undefined;
  }

  /**
   * Gives a message to those who listen on `to`, whatever subject the message shows them; the reply may be one that clients cannot
   * use. Returns whether anybody got it; {@link heldBy} is then one of them that is behind.
   */
  send(to: string, message: Message): boolean {
    const route = this.account.router.find(to);
    this.forgetBehind();
    return route.only === undefined
      ? this.deliverToAll(route, message, undefined)
      : this.deliver(route.only, message, false, undefined);
  }
}
