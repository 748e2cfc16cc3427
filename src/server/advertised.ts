/** Where clients are told to find a server. */
export interface Advertised {
  readonly host: string;
  /** Undefined for the one that the server listens on. */
  readonly port: number | undefined;
}

/** Reads "host" or "host:port"; undefined for what is neither. An IPv6 address has brackets around it, as Go wants it. */
export function parseAdvertised(text: string): Advertised | undefined {
  const match = /^\s*(\[[^\]]*\]|[^:[\]]*?)\s*(?::\s*(\d+)\s*)?$/.exec(text);
  if (match === null) return undefined;
  const [, host, port] = match;
  return { host: host.replace(/^\[|\]$/g, ""), port: port === undefined ? undefined : Number(port) };
}
