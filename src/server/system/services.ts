import type { Account } from "../../broker/account.ts";
import type { Broker } from "../../broker/broker.ts";
import type { Session } from "../../broker/session.ts";
import { isSubsetOf } from "../../interest/subject-transform.ts";
import { hasWildcards } from "../../protocol/subject.ts";
import { decodeText } from "../../protocol/text.ts";
import { accountInfo, accountz } from "../monitor/accountz.ts";
import { accstatz } from "../monitor/accstatz.ts";
import { connz } from "../monitor/connz.ts";
import { MonitorError } from "../monitor/errors.ts";
import { gatewayz } from "../monitor/gatewayz.ts";
import { goJson } from "../monitor/go-format.ts";
import { healthz } from "../monitor/healthz.ts";
import { expvarz, ipqueuesz } from "../monitor/internals.ts";
import { jsz, jszAccount } from "../monitor/jsz.ts";
import { leafz } from "../monitor/leafz.ts";
import { routez } from "../monitor/routez.ts";
import type { MonitorState } from "../monitor/state.ts";
import { subsz } from "../monitor/subsz.ts";
import { varz } from "../monitor/varz.ts";
import type { SystemEvents } from "./events.ts";
import type { ServerIdentity } from "./identity.ts";
import { type Json, matchesFilter, readOptions, wrongType } from "./request-options.ts";
import type { AccountView, ServerView, Service } from "./service.ts";
import { userInfo } from "./user-info.ts";

/** What a service is asked with. */
export interface Request {
  readonly from: Session;
  readonly reply: string;
  readonly body: string;
}

/** The answer is nothing: the request was not meant for this server. */
const SILENCE = Symbol("silence");

/** What a service answers with. */
type Data = object | null | typeof SILENCE;

/** What services do to the server itself. */
export interface ServerControl {
  /** Reads the configuration again. */
  reload(): Promise<void>;
  /** Ends a connection; false when there is none of that number. */
  kick(cid: number): boolean;
  /** Tells a client to go elsewhere; what keeps it from being told, if something does. */
  sendAway(cid: number): string | undefined;
}

/** The services on `$SYS.REQ.` (behaviour.md E.8). Which one a request is for is found by its subject: {@link serviceOn}. */
export class SystemServices {
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

  /** Answers a request. */
  serve(service: Service, request: Request): void {
    switch (service.of) {
      case "client":
        this.#answer(request, () => userInfo(request.from));
        break;
      case "server":
        this.#serveServer(service.name, request);
        break;
      case "account":
        this.#serveAccount(service.name, service.account, request);
        break;
      default:
        this.#serveAccounts(service.name, request);
    }
  }

  #serveServer(name: (Service & { of: "server" })["name"], request: Request): void {
    switch (name) {
      case "STATSZ":
        this.#statsz(request);
        break;
      case "IDZ":
        this.#send(request, this.#identity.id());
        break;
      case "RELOAD":
        this.#reload(request);
        break;
      case "KICK":
        this.#answer(request, (options) => this.#kick(options), false);
        break;
      case "LDM":
        this.#answer(request, (options) => this.#sendAway(options), false);
        break;
      default:
        this.#answer(request, (options) => VIEWS[name](this.#state, options));
    }
  }

  #serveAccount(name: AccountView | "CONNS", account: string, request: Request): void {
    if (name !== "CONNS") {
      this.#answer(request, (options) => ACCOUNT_VIEWS[name](this.#state, account, options));
      return;
    }
    const found = this.#broker.accounts.get(account);
    if (found !== undefined && found.sessions.size > 0) this.#send(request, this.#events.connections(found));
  }

  #serveAccounts(name: (Service & { of: "accounts" })["name"], request: Request): void {
    if (name === "STATZ") this.#answer(request, (options) => this.#statz(options));
    else if (name === "NSUBS") this.#countInterest(request);
    else this.#countSubscribers(request);
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
  #answer(request: Request, data: (options: Json) => Data | Promise<Data>, isView = true): void {
    if (request.reply === "") return;
    const options = readOptions(request.body);
    if (options instanceof Error) {
      this.#sendError(request, 400, options.message);
      return;
    }
    if (!matchesFilter(this.#state, options)) return;
    const failed = (error: unknown): void => {
      // A view that fails is no reason to end a server.
      if (!(error instanceof MonitorError)) this.#state.log.error(`Request to the server failed: ${error}`);
      this.#sendError(request, 500, error instanceof MonitorError ? error.message : "internal error", isView);
    };
    try {
      const answer = data(options);
      if (answer instanceof Promise) answer.then((late) => this.#sendData(request, late)).catch(failed);
      else this.#sendData(request, answer);
    } catch (error) {
      failed(error);
    }
  }

  #sendData(request: Request, answer: Data): void {
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

const VIEWS: Readonly<Record<ServerView, (state: MonitorState, options: Json) => Data | Promise<Data>>> = {
  VARZ: (state) => varz(state),
  SUBSZ: subsz,
  CONNZ: connz,
  ROUTEZ: (state) => routez(state),
  GATEWAYZ: (state) => gatewayz(state),
  LEAFZ: (state) => leafz(state),
  ACCOUNTZ: accountz,
  JSZ: answerJsz,
  HEALTHZ: healthz,
  EXPVARZ: (state) => expvarz(state),
  IPQUEUESZ: () => ipqueuesz(),
  RAFTZ: () => ({}),
  PROFILEZ: () => ({
    profile: null,
    error: "profiles are not served: use the profiler of the JavaScript engine",
  }),
};

const ACCOUNT_VIEWS: Readonly<
  Record<
    AccountView,
    (state: MonitorState, account: string, options: Json) => object | typeof SILENCE | Promise<object>
  >
> = {
  SUBSZ: (state, account, options) => subsz(state, { ...options, subscriptions: true, account }),
  CONNZ: (state, account, options) => connz(state, { ...options, acc: account }),
  LEAFZ: (state) => leafz(state),
  JSZ: jszAccount,
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

/** What only the leader of a cluster is to answer is not answered here. */
async function answerJsz(state: MonitorState, options: Json): Promise<object | typeof SILENCE> {
  return options.leader_only === true && state.jetstream === undefined ? SILENCE : jsz(state, options);
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
