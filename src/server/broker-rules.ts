import type { BrokerLimits } from "../broker/broker.ts";
import type { TraceRules } from "../broker/protocol-trace.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** What the broker holds every connection to. */
export function limitsOf(options: ResolvedServerOptions): BrokerLimits {
  const { maxConnections, maxPayload, maxControlLine, maxPending, maxSubscriptions, maxSubTokens } = options;
  const { noFastProducerStall, maxClosedClients } = options;
  return {
    maxConnections,
    maxPayload,
    maxControlLine,
    maxPending,
    maxSubscriptions,
    maxSubTokens,
    noFastProducerStall,
    maxClosedClients,
  };
}

/** What of the protocol is logged. */
export function traceRules(options: ResolvedServerOptions): TraceRules {
  const { trace: on, traceVerbose: verbose, maxTracedMsgLen: maxMsgLen, traceHeaders: headersOnly } = options;
  return { on, verbose, maxMsgLen, headersOnly };
}
