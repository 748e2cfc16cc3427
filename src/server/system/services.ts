import type { Account } from "../../broker/account.ts";
import type { Broker } from "../../broker/broker.ts";
import type { InternalServices } from "../../broker/internal-services.ts";
import type { Session } from "../../broker/session.ts";
import { isSubsetOf } from "../../interest/subject-transform.ts";
import type { Message } from "../../protocol/message.ts";
import { hasWildcards } from "../../protocol/subject.ts";
import { decodePayload, decodeText } from "../../protocol/text.ts";
import { accountInfo, accountz } from "../monitor/accountz.ts";
import { accstatz } from "../monitor/accstatz.ts";
import { connz } from "../monitor/connz.ts";
import { MonitorError } from "../monitor/errors.ts";
import { gatewayz } from "../monitor/gatewayz.ts";
import { goJson } from "../monitor/go-format.ts";
import { healthz } from "../monitor/healthz.ts";
import { expvarz, ipqueuesz } from "../monitor/internals.ts";
import { jsz } from "../monitor/jsz.ts";
import { leafz } from "../monitor/leafz.ts";
import { routez } from "../monitor/routez.ts";
import type { MonitorState } from "../monitor/state.ts";
import { subsz } from "../monitor/subsz.ts";
import { varz } from "../monitor/varz.ts";
import type { SystemEvents } from "./events.ts";
import type { ServerIdentity } from "./identity.ts";
import { type Json, matchesFilter, readOptions, wrongType } from "./request-options.ts";
import { userInfo } from "./user-info.ts";

/** What a service is asked with. */
interface Request {
  readonly from: Session;
  readonly reply: string;
  readonly body: string;
}

/** Answers a request, or (undefined) leaves it without an answer. */
type Service = (request: Request) => void;

/** The answer is nothing: the request was not meant for this server. */
const SILENCE = Symbol("silence");

/** What services do to the server itself. */
export interface ServerControl {
  /** Reads the configuration again. */
  reload(): Promise<void>;
  /** Ends a connection; false when there is none of that number. */
  kick(cid: number): boolean;
  /** Tells a client to go elsewhere; what keeps it from being told, if something does. */
  sendAway(cid: number): string | undefined;
}

/**
 * The services on `$SYS.REQ.`: all of them for clients of the system account, and for those of other accounts what is about themselves
 * (behaviour.md E.8). They are found by the subject alone, so that a server which nobody asks holds nothing for them.
 */
export class SystemServices implements InternalServices {
  readonly #state: MonitorState;
  readonly #broker: Broker;
  readonly #system: Account;
  readonly #identity: ServerIdentity;
  readonly #events: SystemEvents;
  readonly #control: ServerControl;

  /** @param system - the system account. */
  constructor(
    system: Account,
    state: MonitorState,
    identity: ServerIdentity,
    events: SystemEvents,
    control: ServerControl,
  ) {
    this.#state = state;
    this.#broker = state.broker;
    this.#system = system;
    this.#identity = identity;
    this.#events = events;
    this.#control = control;
  }

  request(from: Session, message: Message): boolean {
    const service = this.#find(from, message.subject);
    if (service === undefined) return false;
    service({ from, reply: message.reply, body: textOf(message) });
    return true;
  }

  #find(from: Session, subject: string): Service | undefined {
    if (subject === "$SYS.REQ.USER.INFO") return (request) => this.#answer(request, () => userInfo(from));
    if (from.account !== this.#system) return this.#findOwn(from.account.name, subject);
    if (subject === "$SYS.DEBUG.SUBSCRIBERS") return (request) => this.#countSubscribers(request);
    const [, , scope, target, name, ...rest] = subject.split(".");
    if (rest.length > 0) return undefined;
    if (scope === "SERVER") return this.#findServer(target, name);
    if (scope !== "ACCOUNT") return undefined;
    if (target === "NSUBS" && name === undefined) return (request) => this.#countInterest(request);
    return this.#findAccount(target, name);
  }

  /** What every account may ask, about itself. */
  #findOwn(account: string, subject: string): Service | undefined {
    switch (subject) {
      case "$SYS.REQ.ACCOUNT.PING.CONNZ":
      case "$SYS.REQ.SERVER.PING.CONNZ":
        return this.#findAccount(account, "CONNZ");
      case "$SYS.REQ.ACCOUNT.PING.STATZ":
        return this.#findAccount(account, "STATZ");
      default:
        return undefined;
    }
  }

  #findServer(target: string, name: string | undefined): Service | undefined {
    const ours = target === this.#state.info.server_id;
    if (target !== "PING" && !ours) return undefined;
    switch (name) {
      case undefined:
      case "STATSZ":
        return name === undefined && ours ? undefined : (request) => this.#statsz(request);
      case "IDZ":
        return (request) => this.#send(request, this.#identity.id());
      case "RELOAD":
        return ours ? (request) => this.#reload(request) : undefined;
      case "KICK":
        return ours ? (request) => this.#answer(request, (options) => this.#kick(options), false) : undefined;
      case "LDM":
        return ours
          ? (request) => this.#answer(request, (options) => this.#sendAway(options), false)
          : undefined;
    }
    const view = ownOf(VIEWS, name);
    return view && ((request) => this.#answer(request, (options) => view(this.#state, options)));
  }

  #findAccount(account: string, name: string | undefined): Service | undefined {
    if (name === undefined) return undefined;
    if (account === "PING") {
      return name === "STATZ"
        ? (request) => this.#answer(request, (options) => this.#statz(options))
        : undefined;
    }
    if (name === "CONNS") {
      return (request) => {
        const found = this.#broker.accounts.get(account);
        if (found !== undefined && found.sessions.size > 0)
          this.#send(request, this.#events.connections(found));
      };
    }
    const view = ownOf(ACCOUNT_VIEWS, name);
    return view && ((request) => this.#answer(request, (options) => view(this.#state, account, options)));
  }

  #statz(options: Json): object | typeof SILENCE {
    const { accounts } = options;
    if (typeof accounts === "boolean")
      throw new MonitorError(wrongType("accounts", accounts, "strings").message);
    const found = accstatz(this.#state, options);
    return found.account_statz.length === 0 && options.include_unused !== true ? SILENCE : found;
  }

  #statsz(request: Request): void {
    if (request.reply === "") {
      this.#events.tellStatsz();
      return;
    }
    const options = readOptions(request.body);
    if (options instanceof Error) this.#sendError(request, 400, options.message);
    else if (matchesFilter(this.#state, options)) this.#send(request, this.#events.statsz());
  }

  #reload(request: Request): void {
    this.#control.reload().then(
      () => this.#answer({ ...request, body: "" }, () => null),
      (error: Error) => this.#sendError(request, 500, error.message),
    );
  }

  #kick(options: Json): null {
    if (!this.#control.kick(Number(options.cid))) throw new MonitorError("no such client or leafnode id");
    return null;
  }

  #sendAway(options: Json): null {
    const problem = this.#control.sendAway(Number(options.cid));
    if (problem !== undefined) throw new MonitorError(problem);
    return null;
  }

  /** How many subscriptions there are that would get a message on a subject, or that a pattern covers. */
  #countInterest(request: Request): void {
    const options = readOptions(request.body);
    if (options instanceof Error || typeof options.subject !== "string") return;
    const account = this.#broker.accounts.get(String(options.acc));
    if (account === undefined || account.sessions.size === 0) return;
    let queue: string | undefined;
    try {
      queue = typeof options.queue === "string" ? fromBase64(options.queue) : undefined;
    } catch {
      return;
    }
    this.#send(request, countInterest(account, options.subject, queue));
  }

  #countSubscribers(request: Request): void {
    const [subject, queue] = request.body.trim().split(" ");
    this.#send(request, countInterest(this.#system, subject, queue));
  }

  /**
   * Answers with what `data` gives, in the envelope of all services.
   * @param isView - that is a view, whose absence nats-server writes as null.
   */
  #answer(request: Request, data: (options: Json) => object | null | typeof SILENCE, isView = true): void {
    if (request.reply === "") return;
    const options = readOptions(request.body);
    if (options instanceof Error) {
      this.#sendError(request, 400, options.message);
      return;
    }
    if (!matchesFilter(this.#state, options)) return;
    let answer: object | null | typeof SILENCE;
    try {
      answer = data(options);
    } catch (error) {
      // A view that fails is no reason to end a server.
      if (!(error instanceof MonitorError)) this.#state.log.error(`Request to the server failed: ${error}`);
      this.#sendError(request, 500, error instanceof MonitorError ? error.message : "internal error", isView);
      return;
    }
    if (answer === SILENCE) return;
    this.#send(request, { server: this.#identity.next(), data: answer ?? undefined });
  }

  #sendError(request: Request, code: number, description: string, isView = false): void {
    const server = this.#identity.next();
    const error = { code, description };
    this.#send(request, isView ? { server, data: null, error } : { server, error });
  }

  #send({ from, reply }: Request, body: object | number): void {
    if (reply !== "") this.#broker.publisher(from.account).publish(reply, undefined, goJson(body));
  }
}

type View = (state: MonitorState, options: Json) => object;
type AccountView = (state: MonitorState, account: string, options: Json) => object | typeof SILENCE;

const VIEWS: Readonly<Record<string, View>> = {
  VARZ: (state) => varz(state),
  SUBSZ: subsz,
  CONNZ: connz,
  ROUTEZ: (state) => routez(state),
  GATEWAYZ: (state) => gatewayz(state),
  LEAFZ: (state) => leafz(state),
  ACCOUNTZ: accountz,
  JSZ: jsz,
  HEALTHZ: healthz,
  EXPVARZ: (state) => expvarz(state),
  IPQUEUESZ: () => ipqueuesz(),
  RAFTZ: () => ({}),
  PROFILEZ: () => ({
    profile: null,
    error: "profiles are not served: use the profiler of the JavaScript engine",
  }),
};

const ACCOUNT_VIEWS: Readonly<Record<string, AccountView>> = {
  SUBSZ: (state, account, options) => subsz(state, { ...options, subscriptions: true, account }),
  CONNZ: (state, account, options) => connz(state, { ...options, acc: account }),
  LEAFZ: (state) => leafz(state),
  JSZ: () => {
    throw new MonitorError("jetstream not enabled");
  },
  INFO: (state, name) => {
    const account = state.broker.accounts.get(name);
    if (account === undefined) throw new MonitorError(`Account ${name} does not exist`);
    return accountInfo(state, account);
  },
  STATZ: (state, account, options) => {
    const found = accstatz(state, { ...options, accounts: [account] });
    return found.account_statz.length === 0 && options.include_unused !== true ? SILENCE : found;
  },
};

/** What a table has under a name, and not what all objects have. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The text of bytes as Go has them in JSON. @throws DOMException when they are not in base64. */
function fromBase64(text: string): string {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return decodeText(bytes, 0, bytes.length);
}

function countInterest(account: Account, subject: string, queue: string | undefined): number {
  let count = 0;
  if (!hasWildcards(subject)) {
    const { plain, groups } = account.router.find(subject);
    if (queue === undefined) count += plain.length;
    for (const group of groups)
      for (const member of group) if (queue === undefined || member.queue === queue) count += 1;
    return count;
  }
  const wanted = subject.split(".");
  for (const subscription of account.router.all()) {
    if (
      isSubsetOf(subscription.subject.split("."), wanted) &&
      (queue === undefined || subscription.queue === queue)
    ) {
      count += 1;
    }
  }
  return count;
}

/** The message's payload; it is JSON, which in process may be text already. */
function textOf(message: Message): string {
  return message.text ?? decodePayload(message.bytes, message.body, message.end);
}
