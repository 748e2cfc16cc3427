import { DurationError, parseDuration } from "../protocol/durations.ts";
import { CONNECTION_TYPES } from "../server/options/resolve-users.ts";
import type { UserOptions } from "../server/options/types.ts";
import type { ConfigValue } from "./language/tree.ts";
import { isPublicKey } from "./nkeys.ts";
import { type BlockReader, type BlockRecord, type CustomReader, optionsIn } from "./read-block.ts";
import { shown } from "./report.ts";

/** Above this (in seconds) a timeout is likely "1m" without quotes, which is a million. */
const HIGH_TIMEOUT_S = 60;

/** The users of an `authorization` block or an account. Those with an nkey are checked and left out. */
export const users =
  (reader: BlockReader): CustomReader =>
  (value) => {
    if (value.content.kind !== "array") {
      return reader.report.error(value, `Expected users field to be an array, got ${shown(value.content)}`);
    }
    return value.content.value.map((each) => user(reader, each)).filter((each) => each !== undefined);
  };

function user(reader: BlockReader, value: ConfigValue): UserOptions | undefined {
  const { report } = reader;
  const record = reader.block("user", value);
  if (record === undefined || value.content.kind !== "map") return undefined;
  // nats-server tells the place of what it read last.
  const last = [...value.content.value.values()].pop() ?? value;
  const { nkey, user: name, password } = record as BlockRecord & Partial<UserOptions>;
  if (nkey === undefined || nkey === "") {
    if (name !== undefined && name !== "") {
      return withTypes(reader, last, optionsIn("user", record) as unknown as UserOptions);
    }
    report.error(last, "User entry requires a user");
  } else if (!isPublicKey(nkey as string, "U")) report.error(last, "Not a valid public nkey for a user");
  else if (name || password) report.error(last, "Nkey users do not take usernames or passwords");
  else report.nkeyUser ??= value;
  return undefined;
}

function withTypes(reader: BlockReader, place: ConfigValue, given: UserOptions): UserOptions {
  const types = given.allowedConnectionTypes?.map((type) => type.toUpperCase());
  if (types === undefined) return given;
  const unknown = types.filter((type) => !CONNECTION_TYPES.includes(type));
  if (unknown.length > 0) {
    const list = unknown.map((type) => JSON.stringify(type)).join(" ");
    reader.report.error(place, `invalid connection types [${list}]`);
  }
  return { ...given, allowedConnectionTypes: types };
}

/** How long a client may take to authorize, in ms: seconds, or "2s". */
export const authTimeout =
  (reader: BlockReader): CustomReader =>
  (value, { key, block }) => {
    const { content } = value;
    const where = block === "leafAuthorization" ? "leafnode authorization" : "authorization";
    let seconds: number;
    if (content.kind === "integer" || content.kind === "float") seconds = Number(content.value);
    else if (content.kind === "string") {
      try {
        seconds = parseDuration(content.value) / 1_000;
      } catch (error) {
        if (!(error instanceof DurationError)) throw error;
        return reader.report.error(value, `error parsing ${where} config, 'timeout' ${error.message}`);
      }
    } else {
      return reader.report.error(value, `error parsing ${where} config, 'timeout' wrong type`);
    }
    if (seconds > HIGH_TIMEOUT_S) {
      const high = `timeout of ${shown(content)} (${seconds.toFixed(6)} seconds) is high`;
      const hint = "consider keeping it under 60 seconds. possibly caused by unquoted duration";
      reader.report.misuse(value, key, `${high}, ${hint}; use '1m' instead of 1m, for example`);
    }
    if (seconds === 0) return undefined;
    // The longest that a timer takes.
    return Math.min(Math.max(1, Math.ceil(seconds * 1_000)), 2 ** 31 - 1);
  };
