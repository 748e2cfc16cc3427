import type { Runtime } from "../../seams/runtime.ts";
import type { MonitorState } from "../monitor/state.ts";
import { SystemEvents } from "./events.ts";
import { ServerIdentity } from "./identity.ts";
import { SystemServices } from "./services.ts";
import { TraceEvents } from "./trace-events.ts";

/**
 * Begins to serve the system account, if there is one: events, services, and traces of messages.
 * @param reload - reads the server's configuration again.
 */
export function serveSystem(
  state: MonitorState,
  runtime: Runtime,
  reload: () => Promise<void>,
): SystemEvents | undefined {
  const { broker } = state;
  const { systemAccount } = broker;
  if (systemAccount === undefined) return undefined;
  const identity = new ServerIdentity(state);
  const events = new SystemEvents(systemAccount, state, identity, runtime.random);
  broker.observer = events;
  broker.services = new SystemServices(systemAccount, state, identity, events, {
    reload,
    kick: (cid) => kick(state, cid),
    sendAway: (cid) => sendAway(state, cid),
  });
  broker.tracer = new TraceEvents(broker, identity, runtime.compression);
  return events;
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
