import type { Account } from "../../broker/account.ts";
import type { Broker } from "../../broker/broker.ts";
import type { ConnectionObserver, InternalServices } from "../../broker/internal-services.ts";
import type { Session } from "../../broker/session.ts";
import type { MessageTrace, Tracer } from "../../broker/trace/message-trace.ts";
import type { ClosedReason } from "../../protocol/closed-reason.ts";
import type { Message } from "../../protocol/message.ts";
import type { Runtime } from "../../seams/runtime.ts";
import type { MonitorState } from "../monitor/state.ts";
import { SystemEvents } from "./events.ts";
import { ServerIdentity } from "./identity.ts";
import { SystemServices } from "./services.ts";
import { TraceEvents } from "./trace-events.ts";

/** What does the work. */
interface Parts {
  readonly events: SystemEvents;
  readonly services: SystemServices;
  readonly traces: TraceEvents;
}

/**
 * The system account at work: events, services, and traces of messages. What does it is made when somebody listens or asks: most embedded
 * servers never have a client there, and should start without.
 */
export class System implements ConnectionObserver, InternalServices, Tracer {
  readonly #account: Account;
  readonly #make: () => Parts;
  #made: Parts | undefined;

  private constructor(account: Account, make: () => Parts) {
    this.#account = account;
    this.#make = make;
  }

  /**
   * Begins to serve the broker's system account, if it has one.
   * @param reload - reads the server's configuration again.
   */
  static serve(
    broker: Broker,
    state: () => MonitorState,
    runtime: Runtime,
    reload: () => Promise<void>,
  ): System | undefined {
    const { systemAccount } = broker;
    if (systemAccount === undefined) return undefined;
    const system = new System(systemAccount, () => makeParts(systemAccount, state(), runtime, reload));
    broker.observer = system;
    broker.services = system;
    broker.tracer = system;
    return system;
  }

  entered(session: Session): void {
    if (this.#heard || session.account === this.#account) this.#parts.events.entered(session);
  }

  left(session: Session, reason: ClosedReason): void {
    if (this.#heard) this.#parts.events.left(session, reason);
  }

  refused(session: Session): void {
    this.#parts.events.refused(session);
  }

  request(from: Session, message: Message): boolean {
    return this.#parts.services.request(from, message);
  }

  traced(trace: MessageTrace): void {
    this.#parts.traces.traced(trace);
  }

  /** The server takes no more connections. */
  lameDuck(): void {
    if (this.#heard) this.#parts.events.lameDuck();
  }

  /** The server ends. */
  stop(): void {
    this.#made?.events.stop();
  }

  /** Whether anybody may be listening. */
  get #heard(): boolean {
    return this.#account.router.count > 0;
  }

  get #parts(): Parts {
    this.#made ??= this.#make();
    return this.#made;
  }
}

function makeParts(
  account: Account,
  state: MonitorState,
  runtime: Runtime,
  reload: () => Promise<void>,
): Parts {
  const identity = new ServerIdentity(state);
  const events = new SystemEvents(account, state, identity, runtime.random);
  const services = new SystemServices(account, state, identity, events, {
    reload,
    kick: (cid) => kick(state, cid),
    sendAway: (cid) => sendAway(state, cid),
  });
  return { events, services, traces: new TraceEvents(state.broker, identity, runtime.compression) };
}

function kick({ broker }: MonitorState, cid: number): boolean {
  const session = broker.sessions.get(cid);
  session?.close("Kicked");
  return session !== undefined;
}

function sendAway({ broker, info }: MonitorState, cid: number): string | undefined {
  const session = broker.sessions.get(cid);
  if (session === undefined) return "no such client id";
  if (session.informAgain({ ...info, ldm: true })) return undefined;
  return "client does not support Lame Duck Mode or is not ready to receive the notification";
}
