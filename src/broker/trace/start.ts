import { publishViolation, quote } from "../../protocol/faults.ts";
import type { Message } from "../../protocol/message.ts";
import { isLiteralSubject, isProtocolToken } from "../../protocol/subject.ts";
import { decodeText, encodeText } from "../../protocol/text.ts";
import { RESERVED_SUBJECT } from "../account.ts";
import type { BrokerContext } from "../broker.ts";
import type { Permissions } from "../permissions.ts";
import type { Session } from "../session.ts";
import { MessageTrace } from "./message-trace.ts";
import {
  disableTracing,
  mayBeTraced,
  readTraceHeaders,
  TRACE_DEST,
  TRACE_ONLY,
  TRACE_ORIGIN_ACCOUNT,
} from "./trace-headers.ts";

/** What becomes of a message that may ask to be traced: it is traced, goes on as any other, or goes no further. */
export type TraceVerdict = MessageTrace | "untraced" | "dropped";

/**
 * Begins to trace a message, if its headers ask for it (behaviour.md B.7, ADR-41, nats-server `initMsgTrace`). A message that was only to be traced,
 * and cannot be, is dropped, so that it is not taken for a real one. May change the message's headers.
 * @param permissions - those of the client.
 */
export function startTrace(
  message: Message,
  session: Session,
  context: BrokerContext,
  permissions: Permissions | undefined,
): TraceVerdict {
  const found = readTraceHeaders(message);
  if (found === undefined) return "untraced";
  const { headers, external } = found;
  const only = !external && isYes(headers.get(TRACE_ONLY)?.[0]);
  const failed = only ? "dropped" : "untraced";
  const origin = headers.get(TRACE_ORIGIN_ACCOUNT)?.[0];
  if (origin !== undefined) {
    context.logger.error(
      `${session.label} - Message tracing disabled because of header ${quote(TRACE_ORIGIN_ACCOUNT)} with value=${quote(origin)}`,
    );
    if (!only) setHeaders(message, disableTracing);
    return failed;
  }
  let destination = headers.get(TRACE_DEST)?.[0] ?? "";
  if (external) {
    const configured = session.account.trace;
    if (configured === undefined) return "untraced";
    if (!isChosen(configured.sampling, context.random.fraction())) {
      setHeaders(message, disableTracing);
      return "untraced";
    }
    destination = configured.dest;
  }
  if (!isLiteralSubject(destination) || !isProtocolToken(destination)) {
    context.logger.error(
      `${session.label} - Destination ${quote(destination)} is not valid, won't be able to trace events`,
    );
    return failed;
  }
  const reserved = (session.account.router.find(destination).flags & RESERVED_SUBJECT) !== 0;
  if (reserved || permissions?.mayPublish(destination) === false) {
    session.fault(publishViolation(destination), `Publish Violation - Subject ${quote(destination)}`);
    return "dropped";
  }
  const subject = message.subjectText;
  const now = (): number => context.clock.now();
  return new MessageTrace({ session, subject, size: message.size, headers, destination, only, now });
}

/**
 * The trace of a message that is refused, if it asks for one. May change the message's headers.
 * @param why - what the trace says of it.
 */
export function traceRefused(
  message: Message,
  session: Session,
  context: BrokerContext,
  why: string,
): MessageTrace | undefined {
  if (!message.hasHeaders || !mayBeTraced(message, session.account.trace !== undefined)) return undefined;
  const verdict = startTrace(message, session, context, session.permissions);
  if (verdict === "dropped" || verdict === "untraced") return undefined;
  verdict.refused(why);
  return verdict;
}

function isYes(value: string | undefined): boolean {
  return value !== undefined && ["1", "true", "on"].includes(value.toLowerCase());
}

/** Whether one of `sampling` in a hundred messages is chosen by a draw from [0, 1); as in nats-server, it is one in a hundred more. */
function isChosen(sampling: number, draw: number): boolean {
  return sampling >= 100 || Math.floor(draw * 100) <= sampling;
}

/** Changes the header block of a message. */
function setHeaders(message: Message, change: (block: string) => string): void {
  const { bytes, start, body, end, text } = message;
  const block = encodeText(change(decodeText(bytes, start, body)));
  const reply = message.hasReply ? message.reply : undefined;
  message.setValue(message.subjectText, reply, block, text ?? bytes.subarray(body, end));
}
