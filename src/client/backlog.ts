import type { ConnectOptions } from "../protocol/connect-options.ts";
import type { Message } from "../protocol/message.ts";
import type { ClientVerbs } from "../protocol/verbs.ts";
import { ReconnectBufferExceededError } from "./errors.ts";

/** A message that waits for a server. */
interface Waiting {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array | string;
}

const PING = "PING";

/** What `PUB`, its spaces, sizes and line ends take, about. */
const LINE_BYTES = 16;

/**
 * Takes what the client says while it has no server, and says it to the next one: messages and pings in order, once. Subscriptions
 * need not wait here, as a connection tells a new server all that it has.
 */
export class Backlog implements ClientVerbs {
  readonly #limit: number;
  #waiting: (Waiting | typeof PING)[] = [];
  #bytes = 0;

  /** @param limit - in bytes, as they would be on the wire. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws ReconnectBufferExceededError when there is no room. */
  pub(message: Message): void {
    const { subject, bytes, start, body, end, text } = message;
    const reply = message.hasReply ? message.reply : undefined;
    const size = LINE_BYTES + subject.length + (reply?.length ?? 0) + message.size;
    if (this.#bytes + size > this.#limit) throw new ReconnectBufferExceededError(this.#limit);
    this.#bytes += size;
    this.#waiting.push({
      subject,
      reply,
      headers: body > start ? bytes.slice(start, body) : undefined,
      payload: text ?? bytes.slice(body, end),
    });
  }

  ping(): void {
    this.#waiting.push(PING);
  }

  connect(_options: Partial<ConnectOptions>): void {}
  sub(): void {}
  unsub(): void {}
  pong(): void {}

  /**
   * Says it all to a server, by way of `message`.
   * @param refused - why the server at hand cannot be given the message, which is dropped then.
   * @param goOn - false ends it: the rest waits for the next server.
   */
  replay(
    server: ClientVerbs,
    message: Message,
    refused: (message: Message) => boolean,
    goOn: () => boolean,
  ): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    let next = 0;
    while (next < waiting.length && goOn()) {
      const each = waiting[next++];
      if (each === PING) {
        server.ping();
        continue;
      }
      message.setValue(each.subject, each.reply, each.headers, each.payload);
      this.#bytes -= LINE_BYTES + each.subject.length + (each.reply?.length ?? 0) + message.size;
      if (!refused(message)) server.pub(message);
    }
    // When a link is lost, whoever waits for answers to pings is told; so those that were not said are forgotten.
    this.#waiting = [...waiting.slice(next).filter((each) => each !== PING), ...this.#waiting];
  }

  clear(): void {
    this.#waiting = [];
    this.#bytes = 0;
  }
}
