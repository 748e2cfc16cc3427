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
 * Reads the JSON of a `CONNECT` by the rules of Go's decoder, which are nats-server's: names match in any case, the last of
 * two wins, null leaves a field alone, unknown fields are ignored, a value of another type is an error.
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
  for (const [key, given] of Object.entries(value)) {
    const name = FIELD_NAMES.get(key) ?? FIELD_NAMES.get(key.toLowerCase());
    if (name === undefined || given === null) continue;
    const wanted = typeof CONNECT_DEFAULTS[name];
    const fits = typeof given === wanted && (wanted !== "number" || Number.isSafeInteger(given));
    if (!fits) {
      throw new ConnectSyntaxError(
        `CONNECT field "${name}" must be a ${wanted === "number" ? "whole number" : wanted}`,
      );
    }
    options[name] = given;
  }
  return options as Partial<ConnectOptions>;
}
