import { showDuration } from "../protocol/durations.ts";
import { parseAdvertised } from "../server/advertised.ts";
import type { ServerOptions, WebsocketOptions } from "../server/options/types.ts";

const DEFAULT_MAX_PAYLOAD = 1_048_576;
const DEFAULT_MAX_PENDING = 67_108_864;
const DEFAULT_DURATION_MS = 120_000;
const DEFAULT_GRACE_MS = 10_000;

/**
 * What nats-server says at its start of options that do not go together, in its words; undefined when they do. `-t` does not look at this.
 * Without it the server's own checks say the same, naming options instead of keys.
 */
export function bootProblem(options: ServerOptions): string | undefined {
  const {
    lameDuckDuration: duration = DEFAULT_DURATION_MS,
    lameDuckGracePeriod: grace = DEFAULT_GRACE_MS,
    maxPayload = DEFAULT_MAX_PAYLOAD,
    maxPending = DEFAULT_MAX_PENDING,
    websocket,
  } = options;
  if (grace >= duration) {
    return `lame duck grace period (${showDuration(grace)}) should be strictly lower than lame duck duration (${showDuration(duration)})`;
  }
  if (maxPayload > maxPending) {
    return `max_payload (${maxPayload}) cannot be higher than max_pending (${maxPending})`;
  }
  if (options.serverName?.includes(" ")) return "server name cannot contain spaces";
  return (
    advertiseProblem(options.clientAdvertise) ??
    noAuthUserProblem(options, options.noAuthUser) ??
    (websocket && websocketProblem(options, websocket)) ??
    monitoringProblem(options)
  );
}

/** "host" or "host:port", as Go reads it. */
function advertiseProblem(advertise = ""): string | undefined {
  if (parseAdvertised(advertise) !== undefined) return undefined;
  const port = /^(?:\[[^\]]*\]|[^:]*):([^:]*)$/.exec(advertise)?.[1];
  const why =
    port === undefined
      ? `address ${advertise}: too many colons in address`
      : `strconv.Atoi: parsing ${JSON.stringify(port.trim())}: invalid syntax`;
  return `Error setting server INFO with ClientAdvertise value of ${advertise}, err=${why}`;
}

/** Names of users; undefined where none are defined. */
function usersOf({ authorization, accounts = {} }: ServerOptions): string[] | undefined {
  const lists = [authorization?.users, ...Object.values(accounts).map((account) => account.users)];
  const users = lists.flatMap((list) => list ?? []).map(({ user }) => user);
  return users.length === 0 ? undefined : users;
}

function noAuthUserProblem(options: ServerOptions, name: string | undefined): string | undefined {
  if (name === undefined || name === "") return undefined;
  const users = usersOf(options);
  if (users === undefined) return `no_auth_user: "${name}" present, but users/nkeys are not defined`;
  if (users.includes(name)) return undefined;
  return `no_auth_user: "${name}" not present as user or nkey in authorization block or account configuration`;
}

function websocketProblem(options: ServerOptions, websocket: WebsocketOptions): string | undefined {
  const { tls, noTls, noAuthUser, authorization, jwtCookie, headers = {} } = websocket;
  if (tls === undefined && !noTls) return "websocket requires TLS configuration";
  const unknown = noAuthUserProblem(options, noAuthUser);
  if (unknown !== undefined) return unknown;
  if (usersOf(options) !== undefined) {
    const given = authorization?.user ? "username" : authorization?.token ? "token" : undefined;
    if (given !== undefined) {
      return `websocket authentication ${given} not compatible with presence of users/nkeys`;
    }
  }
  if (jwtCookie) {
    return `trusted operators or trusted keys configuration is required for JWT authentication via cookie "${jwtCookie}"`;
  }
  for (const name of Object.keys(headers)) {
    if (/^(host|content-length|connection|upgrade|nats-no-masking)$/i.test(name)) {
      return `websocket: invalid header "${name}" not allowed`;
    }
    if (/^sec-websocket-/i.test(name)) {
      return `websocket: invalid header "${name}", "Sec-WebSocket-" prefix not allowed`;
    }
  }
  return undefined;
}

function monitoringProblem({ http, https, tls }: ServerOptions): string | undefined {
  if (http !== undefined && https !== undefined) {
    return `can't specify both HTTP (${http.port ?? 8222}) and HTTPs (${https.port ?? 8222}) ports`;
  }
  return https !== undefined && tls === undefined ? "TLS cert and key required for HTTPS" : undefined;
}
