import type { Msg, MsgHdrs, Payload, PublishOptions, ReviverFn } from "@nats-io/nats-core";
import { MsgHdrsImpl } from "@nats-io/nats-core/internal";
import { copyOf } from "../protocol/bytes.ts";
import { decodePayload, EMPTY, encodePayload } from "../protocol/text.ts";
import type { OfficialInternals } from "./official.ts";
import type { ClientSubscription } from "./subscription.ts";

/** What a message needs of the connection that it came by. */
export interface Responder {
  publish(subject: string, payload?: Payload, options?: PublishOptions): void;
  /** For the official libraries. */
  readonly internals: OfficialInternals;
}

/** A message that was delivered. Headers and payload are made when they are asked for. */
export class ClientMsg implements Msg {
  readonly subject: string;
  readonly sid: number;
  readonly reply: string | undefined;
  /** The subscription it is for; not part of the public interface. */
  readonly subscription: ClientSubscription;
  readonly #responder: Responder;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #body: number;
  readonly #end: number;
  readonly #text: string | undefined;
  readonly #shared: boolean;
  #data: Uint8Array | undefined;
  #headers: MsgHdrs | undefined;

  /**
   * @param bytes - header block `[start, body)` and payload `[body, end)`.
   * @param text - the payload, when it came as an ASCII string; then there is none in `bytes`.
   * @param shared - whether others hold the same bytes: then each gets a copy to write in.
   */
  constructor(
    responder: Responder,
    subscription: ClientSubscription,
    subject: string,
    reply: string | undefined,
    bytes: Uint8Array,
    start: number,
    body: number,
    end: number,
    text: string | undefined,
    shared: boolean,
  ) {
    this.#responder = responder;
    this.subscription = subscription;
    this.sid = subscription.sid;
    this.subject = subject;
    this.reply = reply;
    this.#bytes = bytes;
    this.#start = start;
    this.#body = body;
    this.#end = end;
    this.#text = text;
    this.#shared = shared;
  }

  /** The payload's bytes. They are this message's own. */
  get data(): Uint8Array {
    let data = this.#data;
    if (data === undefined) {
      if (this.#text !== undefined) data = encodePayload(this.#text);
      else if (this.#end === this.#body) data = EMPTY;
      else if (this.#shared) data = copyOf(this.#bytes, this.#body, this.#end);
      else if (this.#body === 0 && this.#end === this.#bytes.length) data = this.#bytes;
      else data = this.#bytes.subarray(this.#body, this.#end);
      this.#data = data;
    }
    return data;
  }

  /** The headers; undefined when there are none. */
  get headers(): MsgHdrs | undefined {
    if (this.#headers === undefined && this.#body > this.#start) {
      this.#headers = MsgHdrsImpl.decode(this.#bytes.subarray(this.#start, this.#body));
    }
    return this.#headers;
  }

  /** Whether this is the server's word that nobody serves a request: status 503, and no payload. */
  get noResponders(): boolean {
    return (
      this.#body > this.#start &&
      this.#end === this.#body &&
      this.#text === undefined &&
      this.headers?.code === 503
    );
  }

  /** Bytes of headers and payload. */
  get byteLength(): number {
    return this.#end - this.#start + (this.#text === undefined ? 0 : this.#text.length);
  }

  /** Bytes of subject, reply subject, headers and payload (as the official client's message tells them). */
  size(): number {
    return this.subject.length + (this.reply?.length ?? 0) + this.byteLength;
  }

  /** For the official libraries, which publish by it. */
  get publisher(): OfficialInternals {
    return this.#responder.internals;
  }

  /** Publishes to the reply subject; false when there is none. */
  respond(payload?: Payload, options?: PublishOptions): boolean {
    if (this.reply === undefined) return false;
    this.#responder.publish(this.reply, payload, options);
    return true;
  }

  /** The payload as text. */
  string(): string {
    if (this.#text !== undefined) return this.#text;
    return this.#data === undefined
      ? decodePayload(this.#bytes, this.#body, this.#end)
      : decodePayload(this.#data, 0, this.#data.length);
  }

  /** The payload as JSON. @throws SyntaxError when it is not. */
  json<T>(reviver?: ReviverFn): T {
    return JSON.parse(this.string(), reviver) as T;
  }
}
