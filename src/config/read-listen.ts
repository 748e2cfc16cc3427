import type { ConfigValue } from "./language/tree.ts";
import { quoted, type Report, typeOf } from "./report.ts";

/** Where to listen, as a file says it: an empty host is every address; port -1 is any free one. */
export interface FileListen {
  readonly host: string | undefined;
  readonly port: number;
}

/** `listen: 4222`, `listen: "host:4222"`, `listen: "[::1]:-1"`. */
export function readListen(value: ConfigValue, report: Report): FileListen | undefined {
  const { content } = value;
  let listen: FileListen;
  if (content.kind === "integer") listen = { host: undefined, port: Number(content.value) };
  else if (content.kind === "string") {
    const parts = splitHostPort(content.value);
    if (parts === undefined) {
      return report.error(value, `could not parse address string ${quoted(content.value)}`);
    }
    const [host, port] = parts;
    if (!/^[+-]?[0-9]+$/.test(port)) {
      return report.error(value, `could not parse port ${quoted(port)}`);
    }
    listen = { host, port: Number(port) };
  } else {
    return report.error(value, `expected port or host:port, got ${typeOf(content)}`);
  }
  if (listen.port >= -1 && listen.port <= 65_535) return listen;
  return report.error(value, `invalid port ${listen.port}, it must be from -1 (any free one) to 65535`);
}

/** Splits at the last colon, as Go does: an address with colons of its own stands in brackets. */
function splitHostPort(text: string): [host: string, port: string] | undefined {
  const found = /^\[([^[\]]*)\]:([^:[\]]*)$/.exec(text) ?? /^([^:[\]]*):([^:[\]]*)$/.exec(text);
  return found === null ? undefined : [found[1], found[2]];
}
