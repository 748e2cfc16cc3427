import type { ConnectOptions } from "./connect-options.ts";
import type { ProtocolFault } from "./faults.ts";
import type { ServerInfo } from "./info.ts";
import type { Message } from "./message.ts";

/**
 * The NATS client protocol as two interfaces: what a client may say to a server, and what a server may say to a client.
 * Whatever sits between the two ends only carries these calls: as they are (in process), or as bytes (TCP, a MessagePort).
 *
 * The rule of both: a call returns before anything that it causes runs code of the user's, and nothing given in a call may
 * be kept after it returns unless its type is immutable. {@link Message} says how to keep its payload.
 */

/** A subscription id: any token on the wire; a number from our own client. */
export type Sid = string | number;

/** What a client may say to a server (behaviour.md A.2). */
export interface ClientVerbs {
  /** `CONNECT`: only the fields that were given; the server keeps its defaults or earlier values for the others. */
  connect(options: Partial<ConnectOptions>): void;
  /** `PUB`, `HPUB`. */
  pub(message: Message): void;
  /** `SUB <subject> [queue] <sid>`. */
  sub(subject: string, queue: string | undefined, sid: Sid): void;
  /** `UNSUB <sid> [max]`: now, or once `max` messages in all have been delivered since `SUB`. */
  unsub(sid: Sid, max: number | undefined): void;
  /** `PING`. */
  ping(): void;
  /** `PONG`. */
  pong(): void;
}

/** A subscription as {@link ServerVerbs.msg} names it. */
export interface SubscriptionRef {
  readonly sid: Sid;
}

/** What a server may say to a client (behaviour.md A.3). */
export interface ServerVerbs {
  /** `INFO`: first of all, and again when something changes. */
  info(info: ServerInfo): void;
  /**
   * `MSG`, `HMSG`: a message for one subscription.
   * @param shared - whether other in-process receivers get the same lasting copy, so that none may be given it to write in.
   */
  msg(to: SubscriptionRef, message: Message, shared: boolean): void;
  /** `+OK`, in verbose mode. */
  ok(): void;
  /** `-ERR '<text>'`. */
  err(text: string): void;
  /** `PING`. */
  ping(): void;
  /** `PONG`. */
  pong(): void;
}

/** What a reader of bytes needs of the end it reads for, beyond the verbs: to be told what it was sent that is wrong. */
export interface FaultSink {
  /**
   * The bytes break the protocol. `detail` is for the log. The reader reads nothing after it. `message` is the one that is too large,
   * when it has headers: as much of them as has come.
   */
  fault(fault: ProtocolFault, detail: string, message?: Message): void;
}
