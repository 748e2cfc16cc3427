import type { ClosedReason } from "./closed-reason.ts";

/**
 * What a server answers to a client that breaks a rule: the text of its `-ERR`, and whether the connection ends with it
 * (behaviour.md A.7). Decided in one place, so that every way in gives the same answer.
 */
export interface ProtocolFault {
  /** The text between the quotes of `-ERR '...'`; undefined where nats-server closes without a word. */
  readonly text: string | undefined;
  /** Why the connection is closed; undefined where it stays open. */
  readonly close: ClosedReason | undefined;
}

/** The only one that a client's reader knows; apart, so that the client alone need not carry the others. */
export const UNKNOWN_OPERATION = {
  text: "Unknown Protocol Operation",
  close: "Protocol Violation",
} as const satisfies ProtocolFault;

/** The faults whose text is fixed. */
export const FAULTS = {
  unknownOperation: UNKNOWN_OPERATION,
  /** An argument line that cannot be read: nats-server says nothing and closes. */
  malformed: { text: undefined, close: "Protocol Violation" },
  /** The client reported an error of its own with `-ERR`. */
  clientError: { text: undefined, close: "Parse Error" },
  maxControlLine: { text: "maximum control line exceeded", close: "Maximum Control Line Exceeded" },
  maxPayload: { text: "Maximum Payload Violation", close: "Maximum Message Payload Exceeded" },
  headersNotSupported: { text: undefined, close: "Protocol Violation" },
  authorization: { text: "Authorization Violation", close: "Authentication Failure" },
  authenticationTimeout: { text: "Authentication Timeout", close: "Authentication Timeout" },
  maxAccountConnections: {
    text: "maximum account active connections exceeded",
    close: "Maximum Account Connections Exceeded",
  },
  clientProtocol: { text: "invalid client protocol", close: "Bad Client Protocol Version" },
  noRespondersNeedsHeaders: {
    text: "no responders requires headers support",
    close: "No Responders Requires Headers",
  },
  /** Too many handshakes in a second. */
  throttled: {
    text: "Connection throttling is active. Please try again later.",
    close: "Maximum Connections Exceeded",
  },
  /** nats-server has a text for this, which never reaches the client. */
  handshakeFailed: { text: undefined, close: "TLS Handshake Failure" },
  maxConnections: { text: "maximum connections exceeded", close: "Maximum Connections Exceeded" },
  maxSubscriptions: { text: "maximum subscriptions exceeded", close: undefined },
  invalidSubject: { text: "Invalid Subject", close: undefined },
  invalidPublishSubject: { text: "Invalid Publish Subject", close: undefined },
  staleConnection: { text: "Stale Connection", close: "Stale Connection" },
} as const satisfies Record<string, ProtocolFault>;

/** A publish to a subject that the client may not publish to. */
export function publishViolation(subject: string): ProtocolFault {
  return { text: `Permissions Violation for Publish to ${quote(subject)}`, close: undefined };
}

/** A publish with a reply subject that is reserved for the server. */
export function replyViolation(reply: string): ProtocolFault {
  return { text: `Permissions Violation for Publish with Reply of ${quote(reply)}`, close: undefined };
}

/** A subscription that the client may not make. */
export function subscriptionViolation(subject: string, queue: string | undefined): ProtocolFault {
  const group = queue === undefined ? "" : ` using queue ${quote(queue)}`;
  return { text: `Permissions Violation for Subscription to ${quote(subject)}${group}`, close: undefined };
}

/** A subscription to a subject of more tokens than `max_sub_tokens`. */
export function tooManyTokens(subject: string): ProtocolFault {
  return {
    text: `Permissions Violation for Subscription to ${quote(subject)}, too many tokens`,
    close: undefined,
  };
}

/** A subscription that a change of the configuration has taken away. */
export function lostSubscription(subject: string, queue: string | undefined, sid: string): ProtocolFault {
  const group = queue === undefined ? "" : ` using queue ${quote(queue)}`;
  return {
    text: `Permissions Violation for Subscription to ${quote(subject)}${group} (sid ${quote(sid)})`,
    close: undefined,
  };
}

/** A text as Go's `%q` writes it: in double quotes, with what cannot be printed escaped. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === '"' || char === "\\") out += `\\${char}`;
    else if (code >= 0x20 && code < 0x7f) out += char;
    else if (code >= 0xdc80 && code <= 0xdcff) out += `\\x${(code - 0xdc00).toString(16)}`;
    else if (code >= 0x20 && code !== 0x7f && /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) out += char;
    else out += GO_ESCAPES[char] ?? escapeCode(code);
  }
  return `${out}"`;
}

const GO_ESCAPES: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function escapeCode(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\U${code.toString(16).padStart(8, "0")}`;
}
