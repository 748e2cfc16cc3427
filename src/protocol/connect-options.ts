/** The fields of `CONNECT` (behaviour.md A.6). Names are the wire's. */
export interface ConnectOptions {
  /** Whether the client's own messages come back to its own subscriptions. */
  echo: boolean;
  /** Whether the server answers every line with `+OK`. */
  verbose: boolean;
  /** Whether the server checks the subjects of messages. */
  pedantic: boolean;
  tls_required: boolean;
  nkey: string;
  jwt: string;
  sig: string;
  auth_token: string;
  user: string;
  pass: string;
  name: string;
  lang: string;
  version: string;
  /** 0, or 1 for a client that takes `INFO` at any time. */
  protocol: number;
  /** Once named the account to join; now an authorization violation. */
  account: string;
  new_account: boolean;
  headers: boolean;
  /** Whether a request that nobody serves is answered with status 503; needs `headers`. */
  no_responders: boolean;
}

/** What holds for a client that has not sent `CONNECT`, and for the fields that its `CONNECT` leaves out. */
export const CONNECT_DEFAULTS: Readonly<ConnectOptions> = {
  echo: true,
  verbose: true,
  pedantic: true,
  tls_required: false,
  nkey: "",
  jwt: "",
  sig: "",
  auth_token: "",
  user: "",
  pass: "",
  name: "",
  lang: "",
  version: "",
  protocol: 0,
  account: "",
  new_account: false,
  headers: false,
  no_responders: false,
};

/** Thrown by {@link parseConnect}: says which field is wrong. */
export class ConnectSyntaxError extends Error {
  override readonly name = "ConnectSyntaxError";
}

const FIELD_NAMES = new Map(
  Object.keys(CONNECT_DEFAULTS).map((name) => [name, name as keyof ConnectOptions]),
);

/**
 * Reads the JSON of a `CONNECT` by the rules of Go's decoder, which are nats-server's: names match in any case, fields are set one after
 * the other, null leaves a field alone, unknown fields are ignored, and a value of another type is an error (also `1.0` for a
 * whole number).
 */
export function parseConnect(json: string): Partial<ConnectOptions> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ConnectSyntaxError(`CONNECT is not JSON: ${(error as Error).message}`);
  }
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw new ConnectSyntaxError("CONNECT is not a JSON object");
  const options: Record<string, unknown> = {};
  for (const [key, text] of members(json)) {
    const name = FIELD_NAMES.get(key) ?? FIELD_NAMES.get(key.toLowerCase());
    if (name === undefined || text === "null") continue;
    const given: unknown = JSON.parse(text);
    const wanted = typeof CONNECT_DEFAULTS[name];
    const fits =
      typeof given === wanted &&
      (wanted !== "number" || (/^-?\d+$/.test(text) && Number.isSafeInteger(given)));
    if (!fits) {
      const what = wanted === "number" ? "whole number" : wanted;
      throw new ConnectSyntaxError(`CONNECT field "${name}" must be a ${what}`);
    }
    options[name] = given;
  }
  return options as Partial<ConnectOptions>;
}

/** The members of a JSON object that is known to be valid, in order, each with the text of its value: `JSON.parse` loses both. */
function* members(json: string): Iterable<[key: string, text: string]> {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
  let depth = 0;
  let key: string | undefined;
  let start = -1;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    const [text] = match;
    if (depth === 1 && key === undefined && text[0] === '"') {
      key = JSON.parse(text) as string;
    } else if (depth === 1 && (text === "," || text === "}")) {
      if (key !== undefined) yield [key, json.slice(start, match.index).trim()];
      key = undefined;
      start = -1;
    } else if (depth === 1 && text === ":") {
      start = token.lastIndex;
    }
    if (text === "{" || text === "[") depth += 1;
    else if (text === "}" || text === "]") depth -= 1;
  }
}
