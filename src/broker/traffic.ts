/** Counters of a server, an account or a connection. Bytes are those of headers and payloads. */
export interface Traffic {
  inMsgs: number;
  inBytes: number;
  outMsgs: number;
  outBytes: number;
}

/** Adds one to the other. */
export function addTraffic(sum: Traffic, more: Traffic): void {
  sum.inMsgs += more.inMsgs;
  sum.inBytes += more.inBytes;
  sum.outMsgs += more.outMsgs;
  sum.outBytes += more.outBytes;
}
