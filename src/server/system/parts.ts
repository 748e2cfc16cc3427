import type { Account } from "../../broker/account.ts";
import type { Runtime } from "../../seams/runtime.ts";
import type { MonitorState } from "../monitor/state.ts";
import { SystemEvents } from "./events.ts";
import { ServerIdentity } from "./identity.ts";
import { SystemServices } from "./services.ts";
import { TraceEvents } from "./trace-events.ts";

/** What does the work of the system account. */
export interface SystemParts {
  readonly events: SystemEvents;
  readonly services: SystemServices;
  readonly traces: TraceEvents;
}

/**
 * Makes the parts.
 * @param account - the system account.
 * @param reload - reads the server's configuration again.
 */
export function systemParts(
  account: Account,
  state: MonitorState,
  runtime: Runtime,
  reload: () => Promise<void>,
): SystemParts {
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
