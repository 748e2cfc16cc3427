import type { Account } from "../../broker/account.ts";
import type { InternalServices } from "../../broker/internal-services.ts";
import type { Session } from "../../broker/session.ts";
import type { Turn } from "../../broker/turn.ts";
import { escapeJson } from "../../protocol/go-format.ts";
import type { Message } from "../../protocol/message.ts";
import { decodePayload, encodeText } from "../../protocol/text.ts";
import type { SwitchedLogger } from "../../seams/logger.ts";
import type { JetStreamAccount } from "../account/account.ts";
import { ApiError, apiError } from "../errors.ts";
import { RequestJsonError } from "../json/decode.ts";
import { isRequestSupported } from "../metadata.ts";
import { HEADERS, readHeaders } from "../publish/headers.ts";
import { type ApiAddress, parseApiSubject, responseType, SYSTEM_RESPONSE } from "./subject.ts";

/** A request that has come, as far as it is read. */
export interface ApiRequest {
  readonly address: ApiAddress;
  readonly body: Uint8Array;
  readonly account: JetStreamAccount;
  /** Who asks. */
  readonly from: Session;
}

/** What is known of a request when its answer is told to others. */
export interface ApiCall {
  readonly from: Session;
  readonly subject: string;
  readonly request: string;
  readonly response: string;
}

/** What the API is made with. */
export interface ApiSetup {
  readonly logger: SwitchedLogger;
  /** The account of those who ask; undefined where JetStream is not enabled. */
  account(name: string): JetStreamAccount | undefined;
  /** Publishes an answer. */
  answer(account: Account, reply: string, json: string): void;
  /** Tells that the API was called. */
  audit(call: ApiCall): void;
  /** Too many requests wait: this one is dropped. */
  dropped(account: JetStreamAccount): void;
  /**
   * Serves a request. Resolves to the members of the answer, as JSON without braces.
   * @throws ApiError, RequestJsonError
   */
  serve(request: ApiRequest): string | Promise<string>;
  /** The most requests that may wait. */
  readonly queueLimit: number;
  /** For requests that have waited for others: they are as many as clients like. */
  readonly turn: Turn;
}

/** Members that stand in an answer besides the error. */
const BESIDES_ERROR: Readonly<Record<string, string>> = {
  "STREAM.INFO": ',"total":0,"offset":0,"limit":0',
  "STREAM.NAMES": ',"total":0,"offset":0,"limit":0,"streams":null',
  "STREAM.LIST": ',"total":0,"offset":0,"limit":0,"streams":[]',
  "STREAM.PURGE": ',"purged":0',
  "CONSUMER.PAUSE": ',"paused":false,"pause_until":"0001-01-01T00:00:00Z"',
  "STREAM.RESTORE": ',"deliver_subject":""',
  "CONSUMER.NAMES": ',"total":0,"offset":0,"limit":0,"consumers":[]',
  "CONSUMER.LIST": ',"total":0,"offset":0,"limit":0,"consumers":[]',
};

/** Requests that are answered by whoever listens for them. */
const BY_MESSAGES: ReadonlySet<string> = new Set(["CONSUMER.MSG.NEXT", "CONSUMER.RESET", "DIRECT.GET"]);

/** The request of which no advisory tells, unless it is refused. */
const UNTOLD = "STREAM.MSG.GET";

/**
 * JetStream's API (behaviour.md D.1): takes requests on `$JS.API.`, and answers them in JSON. Requests about one stream are served one after the
 * other, those about different ones are not.
 */
export class Api implements InternalServices {
  readonly #setup: ApiSetup;
  /** The last request of each stream that has some. */
  readonly #queues = new Map<string, Promise<void>>();
  #inflight = 0;
  #total = 0;
  #errors = 0;

  constructor(setup: ApiSetup) {
    this.#setup = setup;
  }

  /** Requests since the start: all, those with an error, those that are being served. */
  get stats(): { readonly total: number; readonly errors: number; readonly inflight: number } {
    return { total: this.#total, errors: this.#errors, inflight: this.#inflight };
  }

  request(from: Session, message: Message): boolean {
    const { subject } = message;
    const address = parseApiSubject(subject);
    if (address !== undefined && BY_MESSAGES.has(address.request)) return false;
    const call = {
      from,
      subject,
      reply: message.reply,
      body: bodyOf(message),
      level: message.hasHeaders
        ? (readHeaders(message.bytes.subarray(message.start, message.body)).get(HEADERS.requiredApiLevel) ??
          "")
        : "",
    };
    if (from.account.isSystem) this.#answerSystem(call, address);
    else if (address !== undefined && address.served !== "system") this.#take(call, address);
    return true;
  }

  /** The system account has no JetStream; it may be asked all the same. */
  #answerSystem(call: Call, address: ApiAddress | undefined): void {
    if (address?.served === "system") return;
    const type = address?.request === "INFO" ? responseType("INFO") : SYSTEM_RESPONSE;
    this.#refuse(call, undefined, type, apiError(10039), "");
  }

  #take(call: Call, address: ApiAddress): void {
    const { request, served } = address;
    const type = responseType(request);
    const extra = BESIDES_ERROR[request] ?? "";
    const account = this.#setup.account(call.from.account.name);
    const early = served === "cluster" ? 10010 : this.#earlyError(call, account);
    if (early !== undefined || account === undefined) {
      this.#refuse(call, account, type, apiError(early ?? 10039), extra);
      return;
    }
    if (this.#inflight >= this.#setup.queueLimit) {
      this.#setup.dropped(account);
      return;
    }
    const key = `${call.from.account.name} ${address.stream}`;
    const before = this.#queues.get(key);
    this.#inflight += 1;
    const serve = (): Promise<void> | undefined => this.#serve(call, address, account, type, extra);
    const work = before === undefined ? serve() : before.then(() => this.#inTurn(serve));
    if (work === undefined) {
      this.#inflight -= 1;
      return;
    }
    const done = work.then(() => {
      this.#inflight -= 1;
      if (this.#queues.get(key) === done) this.#queues.delete(key);
    });
    this.#queues.set(key, done);
  }

  /** Serves a request that has waited: in another turn of the event loop, when this one has gone on for long. */
  async #inTurn(serve: () => Promise<void> | undefined): Promise<void> {
    const { turn } = this.#setup;
    while (turn.spent) await turn.next();
    turn.begin();
    await serve();
  }

  #earlyError({ level }: Call, account: JetStreamAccount | undefined): 10185 | 10039 | undefined {
    if (!isRequestSupported(level)) return 10185;
    return account === undefined ? 10039 : undefined;
  }

  /** Serves a request; what resolves when it is done, undefined when it is. */
  #serve(
    call: Call,
    address: ApiAddress,
    account: JetStreamAccount,
    type: string,
    extra: string,
  ): Promise<void> | undefined {
    const answered = (members: string): void => {
      this.#total += 1;
      account.api.total += 1;
      const response = `{"type":"${type}"${members === "" ? "" : `,${members}`}}`;
      if (address.request === UNTOLD) this.#answer(call, response);
      else this.#send(call, response);
    };
    const failed = (error: unknown): void =>
      this.#refuse(call, account, type, this.#errorOf(error, call), extra);
    try {
      // It may have ended while the request waited for its turn.
      account.checkOpen();
      const members = this.#setup.serve({ address, body: call.body, account, from: call.from });
      if (typeof members !== "string") return members.then(answered).catch(failed);
      answered(members);
    } catch (error) {
      failed(error);
    }
    return undefined;
  }

  #errorOf(error: unknown, { subject }: Call): ApiError {
    if (error instanceof ApiError) return error;
    if (error instanceof RequestJsonError) return apiError(10025, { err: error.message });
    // A request that fails is no reason to end a server.
    this.#setup.logger.error(`JetStream request ${subject} failed: ${error}`);
    return apiError(10051, { err: "internal error" });
  }

  #refuse(
    call: Call,
    account: JetStreamAccount | undefined,
    type: string,
    error: ApiError,
    extra: string,
  ): void {
    this.#total += 1;
    this.#errors += 1;
    if (account !== undefined) {
      account.api.total += 1;
      account.api.errors += 1;
    }
    this.#send(call, `{"type":"${type}","error":${escapeError(error)}${extra}}`);
  }

  #answer({ from, reply }: Call, response: string): void {
    if (reply !== "") this.#setup.answer(from.account, reply, response);
  }

  #send(call: Call, response: string): void {
    this.#answer(call, response);
    const { from, subject, body } = call;
    this.#setup.audit({ from, subject, request: decodePayload(body, 0, body.length), response });
  }
}

interface Call {
  readonly from: Session;
  readonly subject: string;
  readonly reply: string;
  readonly body: Uint8Array;
  /** The level of the API that it needs; "" when it does not say. */
  readonly level: string;
}

function bodyOf({ text, bytes, body, end }: Message): Uint8Array {
  return text === undefined ? bytes.slice(body, end) : encodeText(text);
}

function escapeError(error: ApiError): string {
  return escapeJson(JSON.stringify(error));
}
