/** Ends that write down what a reader tells them, and check what must hold for each message they are given. */
import assert from "node:assert/strict";
import { BufferPool } from "../../src/protocol/buffer-pool.ts";
import { type ClientReaderLimits, ClientVerbReader } from "../../src/protocol/client-reader.ts";
import type { ConnectOptions } from "../../src/protocol/connect-options.ts";
import { FAULTS, type ProtocolFault } from "../../src/protocol/faults.ts";
import type { ServerInfo } from "../../src/protocol/info.ts";
import { Message } from "../../src/protocol/message.ts";
import { ServerVerbReader } from "../../src/protocol/server-reader.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { decodeText } from "../../src/protocol/text.ts";
import type { ClientVerbs, FaultSink, ServerVerbs, Sid, SubscriptionRef } from "../../src/protocol/verbs.ts";
import { bytesOf, feed, fnv1a, latin1 } from "./protocol-bytes.ts";

/** The name of a fault in the table of faults. */
export type FaultName = keyof typeof FAULTS;

/** One call that a client's bytes have caused. Headers and payload are bytes as latin1 text. */
export type ClientCall =
  | { verb: "connect"; options: Partial<ConnectOptions> }
  | {
      verb: "pub";
      subject: string;
      reply: string | undefined;
      headers: string;
      payload: string;
      /** Whether the rest of the line and the payload can be handed on as one run. */
      run: boolean;
    }
  | { verb: "sub"; subject: string; queue: string | undefined; sid: Sid }
  | { verb: "unsub"; sid: Sid; max: number | undefined }
  | { verb: "ping" }
  | { verb: "pong" }
  | { verb: "fault"; fault: FaultName };

function faultName(fault: ProtocolFault): FaultName {
  const found = Object.entries(FAULTS).find(([, value]) => value === fault);
  assert.ok(found, "a fault of a reader is one of the table");
  return found[0] as FaultName;
}

/** Writes down what a client says. */
export class ClientRecorder implements ClientVerbs, FaultSink {
  readonly calls: ClientCall[] = [];
  /** Called after every call. */
  after: () => void = () => {};
  #faulted = false;

  #record(call: ClientCall): void {
    assert.ok(!this.#faulted, `nothing follows a fault, but ${call.verb} did`);
    this.calls.push(call);
    this.after();
  }

  connect(options: Partial<ConnectOptions>): void {
    this.#record({ verb: "connect", options });
  }

  pub(message: Message): void {
    checkWireForm(message);
    const { bytes } = message;
    this.#record({
      verb: "pub",
      subject: decodeText(bytes, message.subjectStart, message.subjectEnd),
      reply: message.hasReply ? message.reply : undefined,
      headers: latin1(bytes, message.start, message.body),
      payload: latin1(bytes, message.body, message.end),
      run: message.tailStart >= 0,
    });
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    this.#record({ verb: "sub", subject, queue, sid });
  }

  unsub(sid: Sid, max: number | undefined): void {
    this.#record({ verb: "unsub", sid, max });
  }

  ping(): void {
    this.#record({ verb: "ping" });
  }

  pong(): void {
    this.#record({ verb: "pong" });
  }

  fault(fault: ProtocolFault, detail: string): void {
    assert.equal(typeof detail, "string");
    this.#record({ verb: "fault", fault: faultName(fault) });
    this.#faulted = true;
  }
}

/** What holds for every message that a client reader gives. */
function checkWireForm(message: Message): void {
  const { bytes, start, body, end, size, tailStart } = message;
  assert.equal(message.onWire, true);
  assert.equal(message.text, undefined);
  assert.ok(start <= body && body <= end && end + 2 <= bytes.length, "the positions are in order");
  assert.equal(size, end - start);
  assert.equal(message.headerSize, body - start);
  assert.equal(message.hasHeaders, body > start);
  assert.equal(
    message.subjectHash,
    fnv1a(bytes, message.subjectStart, message.subjectEnd),
    "the subject's hash",
  );
  const sizeText = latin1(bytes, message.sizeTextStart, message.sizeTextEnd);
  assert.match(sizeText, /^\d{1,9}$/);
  assert.equal(Number(sizeText), size);
  const reply = message.hasReply ? `${latin1(bytes, message.replyStart, message.replyEnd)} ` : "";
  let headerText = "";
  if (message.hasHeaders) {
    headerText = latin1(bytes, message.headerTextStart, message.headerTextEnd);
    assert.match(headerText, /^\d{1,9}$/);
    assert.equal(Number(headerText), body - start);
    headerText += " ";
  }
  assert.equal(latin1(bytes, end, end + 2), "\r\n");
  if (tailStart < 0) return;
  assert.equal(
    latin1(bytes, tailStart, end + 2),
    `${reply}${headerText}${sizeText}\r\n${latin1(bytes, start, end)}\r\n`,
    "the tail is spelled as the server spells it",
  );
}

/** Limits that no test's bytes reach, with headers on. */
export const WIDE: Readonly<ClientReaderLimits> = {
  maxControlLine: 1024 * 1024,
  maxPayload: -1,
  headers: true,
};

/** A reader of a client's bytes that records, and its limits, which may be changed. */
export function clientReader(
  limits: Partial<ClientReaderLimits> = {},
  pool: BufferPool = new BufferPool(),
): { recorder: ClientRecorder; reader: ClientVerbReader; limits: ClientReaderLimits } {
  const recorder = new ClientRecorder();
  const all = { ...WIDE, ...limits };
  const reader = new ClientVerbReader(recorder, new Message(new Slab()), all, pool);
  return { recorder, reader, limits: all };
}

/** What a client's bytes cause, when they come in chunks of these sizes; in one chunk when none are given. */
export function readClient(
  input: string | Uint8Array,
  limits: Partial<ClientReaderLimits> = {},
  sizes: readonly number[] = [Number.POSITIVE_INFINITY],
): ClientCall[] {
  const { recorder, reader } = clientReader(limits);
  feed(reader, typeof input === "string" ? bytesOf(input) : input, sizes);
  return recorder.calls;
}

/** One call that a server's bytes have caused. Headers and payload are bytes as latin1 text. */
export type ServerCall =
  | { verb: "info"; info: ServerInfo }
  | {
      verb: "msg";
      sid: Sid;
      subject: string;
      reply: string | undefined;
      headers: string;
      payload: string;
    }
  | { verb: "ok" }
  | { verb: "err"; text: string }
  | { verb: "ping" }
  | { verb: "pong" }
  | { verb: "fault"; fault: FaultName };

/** Writes down what a server says. */
export class ServerRecorder implements ServerVerbs, FaultSink {
  readonly calls: ServerCall[] = [];
  /** Called after every call. */
  after: () => void = () => {};
  #faulted = false;

  #record(call: ServerCall): void {
    assert.ok(!this.#faulted, `nothing follows a fault, but ${call.verb} did`);
    this.calls.push(call);
    this.after();
  }

  info(info: ServerInfo): void {
    this.#record({ verb: "info", info });
  }

  msg(to: SubscriptionRef, message: Message, shared: boolean): void {
    const { bytes } = message;
    assert.equal(shared, false, "what comes by bytes is nobody else's");
    assert.equal(message.size, message.end - message.start);
    assert.equal(message.hasHeaders, message.body > message.start);
    assert.equal(message.text, undefined);
    this.#record({
      verb: "msg",
      sid: to.sid,
      subject: message.subject,
      reply: message.hasReply ? message.reply : undefined,
      headers: latin1(bytes, message.start, message.body),
      payload: latin1(bytes, message.body, message.end),
    });
  }

  ok(): void {
    this.#record({ verb: "ok" });
  }

  err(text: string): void {
    this.#record({ verb: "err", text });
  }

  ping(): void {
    this.#record({ verb: "ping" });
  }

  pong(): void {
    this.#record({ verb: "pong" });
  }

  fault(fault: ProtocolFault, detail: string): void {
    assert.equal(typeof detail, "string");
    this.#record({ verb: "fault", fault: faultName(fault) });
    this.#faulted = true;
  }
}

/** A reader of a server's bytes that records. */
export function serverReader(pool: BufferPool = new BufferPool()): {
  recorder: ServerRecorder;
  reader: ServerVerbReader;
} {
  const recorder = new ServerRecorder();
  return { recorder, reader: new ServerVerbReader(recorder, new Message(new Slab()), pool) };
}

/** What a server's bytes cause, when they come in chunks of these sizes; in one chunk when none are given. */
export function readServer(
  input: string | Uint8Array,
  sizes: readonly number[] = [Number.POSITIVE_INFINITY],
): ServerCall[] {
  const { recorder, reader } = serverReader();
  feed(reader, typeof input === "string" ? bytesOf(input) : input, sizes);
  return recorder.calls;
}
