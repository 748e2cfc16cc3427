import type { ClosedReason } from "../../protocol/closed-reason.ts";

const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;
const POLICY_VIOLATION = 1008;

/** Close codes by reason (nats-server `wsEnqueueCloseMessage`). */
const CODES: Readonly<Partial<Record<ClosedReason, number>>> = {
  "Client Closed": 1000,
  "Authentication Timeout": POLICY_VIOLATION,
  "Authentication Failure": POLICY_VIOLATION,
  "Slow Consumer (Pending Bytes)": POLICY_VIOLATION,
  "Slow Consumer (Write Deadline)": POLICY_VIOLATION,
  "Maximum Account Connections Exceeded": POLICY_VIOLATION,
  "Maximum Connections Exceeded": POLICY_VIOLATION,
  "Maximum Control Line Exceeded": POLICY_VIOLATION,
  "Maximum Subscriptions Exceeded": POLICY_VIOLATION,
  "Missing Account": POLICY_VIOLATION,
  "Authentication Expired": POLICY_VIOLATION,
  "Credentials Revoked": POLICY_VIOLATION,
  "TLS Handshake Failure": 1015,
  "Parse Error": PROTOCOL_ERROR,
  "Protocol Violation": PROTOCOL_ERROR,
  "Bad Client Protocol Version": PROTOCOL_ERROR,
  "Maximum Message Payload Exceeded": 1009,
  "Write Error": GOING_AWAY,
  "Read Error": GOING_AWAY,
  "Stale Connection": GOING_AWAY,
  "Server Shutdown": GOING_AWAY,
};

/** The WebSocket close code that tells why a connection ends. */
export function closeCode(reason: ClosedReason): number {
  return CODES[reason] ?? 1011;
}
