import { Message } from "../protocol/message.ts";
import { isProtocolToken } from "../protocol/subject.ts";
import { encodePayloadInto } from "../protocol/text.ts";
import { errors, headers, type MsgHdrsImpl, type Payload, type PublishOptions } from "./core.ts";
import type { ClientSession } from "./session.ts";

/** Headers of more characters are encoded to an array of their own. */
const LONG_BLOCK = 1_024;
/** No character takes more bytes. */
const CHARACTER_BYTES = 3;

/** Checks what a program publishes, and gives it to the session. */
export class Publisher {
  readonly #session: ClientSession;
  readonly #outgoing: Message;
  /** Where headers are written in turn: an array for each would be work for the garbage collector, which keeps the event loop. */
  #room: Uint8Array | undefined;
  /** Most messages have the subject that the one before had. */
  #checkedSubject: string | undefined;
  /** Whether the connection has been drained: nothing more is published. */
  drained = false;

  constructor(session: ClientSession) {
    this.#session = session;
    this.#outgoing = new Message(session.slab);
  }

  /** See `Connection.publish`. @param options - for headers and traces. */
  publish(
    subject: string,
    payload: Payload,
    reply: string | undefined,
    options: PublishOptions | undefined,
  ): void {
    if (subject !== this.#checkedSubject) this.check(subject);
    if (this.#session.isClosed) throw new errors.ClosedConnectionError();
    if (this.drained) throw new errors.DrainingConnectionError();
    if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
      throw new TypeError("payload types can be strings or Uint8Array");
    }
    let block: Uint8Array | undefined;
    if (options) {
      // Null is none, as for the official client.
      reply ||= undefined;
      // The reply subject of a request is our own, unless it is in the options.
      if (reply !== undefined && reply === options.reply && !isProtocolToken(reply))
        throw new errors.InvalidSubjectError(reply);
      block = this.#encoded(headersOf(options));
    }
    this.#outgoing.setValue(subject, reply, block, payload);
    this.#session.publish(this.#outgoing);
  }

  /** @throws errors.InvalidSubjectError */
  check(subject: string): void {
    if (typeof subject !== "string" || !isProtocolToken(subject))
      throw new errors.InvalidSubjectError(subject);
    this.#checkedSubject = subject;
  }

  /** The bytes of headers; they may be used until the next are encoded. */
  #encoded(headers: MsgHdrsImpl | undefined): Uint8Array | undefined {
    if (headers === undefined) return undefined;
    const text = headers.toString();
    if (text.length > LONG_BLOCK) return headers.encode();
    this.#room ??= new Uint8Array(LONG_BLOCK * CHARACTER_BYTES);
    return this.#room.subarray(0, encodePayloadInto(text, this.#room, 0));
  }
}

/** The headers that a message gets, if any. */
function headersOf({ headers: given, traceOnly, traceDestination }: PublishOptions): MsgHdrsImpl | undefined {
  if (typeof traceOnly === "boolean" || typeof traceDestination === "string") {
    given ??= headers();
    if (typeof traceOnly === "boolean") given.set("Nats-Trace-Only", "true");
    if (typeof traceDestination === "string") given.set("Nats-Trace-Dest", traceDestination);
  }
  if (!given) return undefined;
  const block = given as MsgHdrsImpl;
  if (typeof block.size !== "function")
    throw errors.InvalidArgumentError.format("headers", "must be made by headers()");
  // The official JetStream library gives every message headers, mostly with nothing in them, which are none.
  return block.size() === 0 && block.code === 0 ? undefined : block;
}
