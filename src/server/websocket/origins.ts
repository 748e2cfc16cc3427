import type { UpgradeRequest } from "../../seams/websocket.ts";

/** A place on the web: scheme, host and port, the latter always written out. */
interface Place {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
}

/** Which pages may connect (nats-server `checkOrigin`). */
export class Origins {
  readonly #same: boolean;
  readonly #allowed: readonly Place[];

  /** @param allowed - origins that are let in; none lets all in. */
  constructor(same: boolean, allowed: readonly string[]) {
    this.#same = same;
    this.#allowed = allowed.flatMap((origin) => placeOf(origin) ?? []);
  }

  /** Why the page that makes a request is not let in; undefined when it is, as is whoever names no origin: that is no page. */
  refusal(request: UpgradeRequest): string | undefined {
    if (!this.#same && this.#allowed.length === 0) return undefined;
    const origin = request.header("Origin")[0] || request.header("Sec-Websocket-Origin")[0];
    if (!origin) return undefined;
    const page = placeOf(origin);
    if (page === undefined) return `parse ${JSON.stringify(origin)}: invalid URI for request`;
    const scheme = request.secure ? "https" : "http";
    if (
      this.#same &&
      !isSame(page, { scheme, ...hostAndPort(request.header("Host")[0] ?? "", request.secure) })
    ) {
      return "not same origin";
    }
    if (this.#allowed.length > 0 && !this.#allowed.some((each) => isSame(page, each))) {
      return "not in the allowed list";
    }
    return undefined;
  }
}

function placeOf(origin: string): Place | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(origin);
  if (match === null) return undefined;
  const scheme = match[1].toLowerCase();
  return { scheme, ...hostAndPort(match[2], scheme === "https") };
}

function hostAndPort(text: string, secure: boolean): { host: string; port: string } {
  const match = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text);
  if (match === null)
    return { host: text.toLowerCase().replace(/^\[(.*)\]$/, "$1"), port: secure ? "443" : "80" };
  return { host: (match[1] ?? match[2]).toLowerCase(), port: match[3] };
}

function isSame(a: Place, b: Place): boolean {
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}
