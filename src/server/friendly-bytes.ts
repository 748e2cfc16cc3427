const UNITS = ["KB", "MB", "GB", "TB", "PB"];

/** Bytes as nats-server's log shows them: "953.67 MB". */
export function friendlyBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const exponent = Math.min(UNITS.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** exponent).toFixed(2)} ${UNITS[exponent - 1]}`;
}
