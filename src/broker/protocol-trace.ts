import { assert } from "../protocol/assert.ts";
import type { ConnectOptions } from "../protocol/connect-options.ts";
import { quote } from "../protocol/faults.ts";
import type { Message } from "../protocol/message.ts";
import { decodeText, encodePayload } from "../protocol/text.ts";
import type { ClientVerbs, Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { SessionPeer } from "./session-peer.ts";

/** Whether and how protocol lines are logged; read at each line. */
export interface TraceRules {
  /** Whether connections that come are traced. */
  on: boolean;
  /** Whether what the server itself publishes is, too. */
  verbose: boolean;
  /** Bytes of a message that are shown; 0 for all. */
  maxMsgLen: number;
  /** Shows of messages the headers only. */
  headersOnly: boolean;
}

/** Where trace lines come from and go to. */
export interface TraceContext {
  readonly rules: TraceRules;
  /** How lines name the connection, as it is now. */
  label(): string;
  log(line: string): void;
}

/** The fields of `CONNECT` that are shown as "[REDACTED]" (nats-server `removeSecretsFromTrace`). */
const SECRETS: ReadonlySet<string> = new Set(["pass", "auth_token", "sig", "nkey"]);

const IN = "<<-";
const OUT = "->>";

/**
 * Logs what a client and the server say to each other, in nats-server's form: `<<- [PUB foo 5]`, `<<- MSG_PAYLOAD: ["hello"]`, `->> [OK]`.
 *
 * It wraps the methods of this one connection's two ends for as long as it is attached. So tracing can begin and end at any time, and
 * connections that are not traced have nothing to ask.
 */
export class ProtocolTrace {
  readonly #context: TraceContext;
  readonly #detach: (() => void)[] = [];

  constructor(context: TraceContext) {
    this.#context = context;
  }

  /**
   * Begins.
   * @param peer - undefined for the server's own sessions, which nobody hears.
   */
  attach(verbs: ClientVerbs, peer: SessionPeer | undefined): void {
    this.#before(verbs, "connect", (options) => this.#line(IN, "CONNECT", connectText(options)));
    this.#before(verbs, "pub", (message) => this.#published(message));
    this.#before(verbs, "sub", (subject, queue, sid) => this.#line(IN, "SUB", subject, queue, sid));
    this.#before(verbs, "unsub", (sid, max) => this.#line(IN, "UNSUB", sid, max));
    this.#before(verbs, "ping", () => this.#line(IN, "PING"));
    this.#before(verbs, "pong", () => this.#line(IN, "PONG"));
    if (peer === undefined) return;
    this.#before(peer, "msg", (to, message) => this.#delivered(to, message, peer.headers));
    this.#before(peer, "ok", () => this.#line(OUT, "OK"));
    this.#before(peer, "err", (text) => this.#line(OUT, "-ERR", text));
    this.#before(peer, "ping", () => this.#line(OUT, "PING"));
    this.#before(peer, "pong", () => this.#line(OUT, "PONG"));
  }

  /** Ends. */
  detach(): void {
    for (const action of this.#detach.splice(0)) action();
  }

  /** A subscription was dropped. */
  dropped(sid: Sid): void {
    this.#line("<->", "DELSUB", sid);
  }

  /** A message was given another subject. */
  mapped(from: string, to: string): void {
    this.#line(IN, "MAPPING", `${from} -> ${to}`);
  }

  /** Has `look` see the arguments of every call of a method, before it takes effect. */
  #before<Of extends object, Name extends keyof Of>(
    object: Of,
    name: Name,
    look: Of[Name] extends (...args: infer Args) => void ? (...args: Args) => void : never,
  ): void {
    const method = object[name] as (...args: unknown[]) => unknown;
    const wrapped = (...args: unknown[]): unknown => {
      (look as (...args: unknown[]) => void)(...args);
      return method.apply(object, args);
    };
    assert(!Object.hasOwn(object, name), "what is wrapped is a method of the object's class");
    object[name] = wrapped as Of[Name];
    // The method of the class shows again.
    this.#detach.push(() => void Reflect.deleteProperty(object, name));
  }

  #line(direction: string, ...parts: (string | number | undefined)[]): void {
    this.#say(`${direction} [${parts.filter((part) => part !== undefined).join(" ")}]`);
  }

  #say(text: string): void {
    this.#context.log(`${this.#context.label()} - ${text}`);
  }

  #published(message: Message): void {
    const { hasHeaders, headerSize, size } = message;
    const reply = message.hasReply ? message.reply : undefined;
    if (hasHeaders) this.#line(IN, "HPUB", message.subjectText, reply, headerSize, size);
    else this.#line(IN, "PUB", message.subjectText, reply, size);
    this.#payload(IN, message, true);
  }

  #delivered(to: SubscriptionRef, message: Message, headers: boolean): void {
    const { hasHeaders, headerSize, size } = message;
    const reply = message.hasReply ? message.reply : undefined;
    if (hasHeaders && headers) this.#line(OUT, "HMSG", message.subject, to.sid, reply, headerSize, size);
    else this.#line(OUT, "MSG", message.subject, to.sid, reply, size - headerSize);
    this.#payload(OUT, message, headers);
  }

  #payload(direction: string, message: Message, headers: boolean): void {
    const { maxMsgLen, headersOnly } = this.#context.rules;
    const start = headers ? message.start : message.body;
    // The line ends that end the headers are left out when nothing else is shown.
    const end = headersOnly ? message.body - 4 : message.end;
    const bytes =
      message.text === undefined || headersOnly
        ? message.bytes.subarray(start, Math.max(start, end))
        : joined(message.bytes.subarray(start, end), encodePayload(message.text));
    if (bytes.length === 0) return;
    const shown = maxMsgLen > 0 && bytes.length > maxMsgLen ? maxMsgLen : bytes.length;
    const text = quote(decodeText(bytes, 0, shown));
    const more = shown < bytes.length ? "..." : "";
    this.#say(`${direction} MSG_PAYLOAD: [${text.slice(0, -1)}${more}"]`);
  }
}

/** The fields that were given, as JSON, without secrets. */
function connectText(options: Partial<ConnectOptions>): string {
  return JSON.stringify(options, (name, value) => (SECRETS.has(name) ? "[REDACTED]" : value));
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
