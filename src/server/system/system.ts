import type { Account } from "../../broker/account.ts";
import type { Broker } from "../../broker/broker.ts";
import type { ConnectionObserver, InternalServices } from "../../broker/internal-services.ts";
import type { Session } from "../../broker/session.ts";
import type { MessageTrace, Tracer } from "../../broker/trace/message-trace.ts";
import type { ClosedReason } from "../../protocol/closed-reason.ts";
import type { Message } from "../../protocol/message.ts";
import { decodePayload } from "../../protocol/text.ts";
import type { SystemParts } from "./parts.ts";
import { serviceOn } from "./service.ts";

/** Where an account hears of its clients that are refused. */
export const REFUSED_SUBJECT = "$SYS.ACCOUNT.CLIENT.AUTH.ERR";

/** Loads and makes what does the work. @param account - the system account. */
export type LoadParts = (account: Account) => Promise<SystemParts>;

/**
 * The system account at work: events, services, and traces of messages. What does it is loaded when a client comes into the account, or
 * somebody asks: most embedded servers never have one. What happens until it is there is done then, in the same order.
 */
export class System implements ConnectionObserver, InternalServices, Tracer {
  readonly #account: Account;
  readonly #broker: Broker;
  readonly #loadParts: LoadParts;
  #parts: SystemParts | undefined;
  #loading: Promise<void> | undefined;
  /** What waits for the parts. */
  #waiting: ((parts: SystemParts) => void)[] = [];
  #stopped = false;

  private constructor(broker: Broker, account: Account, load: LoadParts) {
    this.#broker = broker;
    this.#account = account;
    this.#loadParts = load;
  }

  /** Begins to serve the broker's system account, if it has one. @param load - called once, when the parts are needed. */
  static serve(broker: Broker, load: LoadParts): System | undefined {
    const { systemAccount } = broker;
    if (systemAccount === undefined) return undefined;
    const system = new System(broker, systemAccount, load);
    broker.observer = system;
    broker.services = system;
    broker.tracer = system;
    return system;
  }

  entered(session: Session): void {
    if (this.#heard) this.#do(({ events }) => events.entered(session));
    else if (session.account === this.#account) this.#do(({ events }) => events.begin());
  }

  left(session: Session, reason: ClosedReason): void {
    if (this.#heard) this.#do(({ events }) => events.left(session, reason));
  }

  refused(session: Session, checked: boolean): void {
    if (this.#heard || (checked && this.#broker.publisher(session.account).hasInterest(REFUSED_SUBJECT))) {
      this.#do(({ events }) => events.refused(session, checked));
    }
  }

  request(from: Session, message: Message): boolean {
    const { account } = from;
    const service = serviceOn({
      subject: message.subject,
      account: account.name,
      isSystem: account === this.#account,
      serverId: this.#broker.context.info().server_id,
    });
    if (service === undefined) return false;
    const request = { from, reply: message.reply, body: textOf(message) };
    this.#do(({ services }) => services.serve(service, request));
    return true;
  }

  traced(trace: MessageTrace): void {
    this.#do(({ traces }) => traces.traced(trace));
  }

  /** The server takes no more connections. */
  lameDuck(): void {
    if (this.#heard) this.#do(({ events }) => events.lameDuck());
  }

  /** Resolves when what has happened so far has been told; undefined when it has. */
  get settled(): Promise<void> | undefined {
    return this.#parts === undefined ? this.#loading : undefined;
  }

  /** The server ends: says so, and falls silent. */
  stop(): void {
    this.#stopped = true;
    this.#parts?.events.stop();
  }

  /** Whether anybody may be listening. */
  get #heard(): boolean {
    return this.#account.router.count > 0;
  }

  #do(action: (parts: SystemParts) => void): void {
    if (this.#stopped) return;
    if (this.#parts !== undefined) {
      action(this.#parts);
      return;
    }
    this.#waiting.push(action);
    this.#loading ??= this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.#parts = await this.#loadParts(this.#account);
      for (const action of this.#waiting) action(this.#parts);
    } catch (error) {
      // An installation that has lost files, say: all but the system account goes on.
      this.#broker.context.logger.error(`The system account cannot be served: ${error}`);
      this.#stopped = true;
    }
    this.#waiting = [];
  }
}

/** The message's payload; it is JSON, which in process may be text already. */
function textOf(message: Message): string {
  return message.text ?? decodePayload(message.bytes, message.body, message.end);
}
