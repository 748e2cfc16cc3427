/**
 * Why a connection ended, in nats-server's words (`ClosedState.String()` in its monitor.go): monitoring, events and
 * logs name it so.
 */
export const CLOSED_REASONS = [
  "Client Closed",
  "Authentication Timeout",
  "Authentication Failure",
  "TLS Handshake Failure",
  "Slow Consumer (Pending Bytes)",
  "Slow Consumer (Write Deadline)",
  "Write Error",
  "Read Error",
  "Parse Error",
  "Stale Connection",
  "Protocol Violation",
  "Bad Client Protocol Version",
  "Incorrect Port",
  "Maximum Connections Exceeded",
  "Maximum Account Connections Exceeded",
  "Maximum Message Payload Exceeded",
  "Maximum Control Line Exceeded",
  "Maximum Subscriptions Exceeded",
  "Duplicate Route",
  "Route Removed",
  "Server Shutdown",
  "Authentication Expired",
  "Wrong Gateway",
  "Missing Account",
  "Credentials Revoked",
  "Internal Client",
  "Message Header Violation",
  "No Responders Requires Headers",
  "Cluster Name Conflict",
  "Duplicate Remote LeafNode Connection",
  "Duplicate Client ID",
  "Duplicate Server Name",
  "Minimum Version Required",
  "Cluster Names Identical",
  "Kicked",
  "Proxy Not Trusted",
  "Proxy Required",
] as const;

/** One of {@link CLOSED_REASONS}. */
export type ClosedReason = (typeof CLOSED_REASONS)[number];
