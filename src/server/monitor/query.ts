import { MonitorError } from "./errors.ts";

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** The values of a query string, by the rules of nats-server, which are those of Go's `strconv`. */
export class Query {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /** A text; "" when it is not given. */
  text(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** @throws MonitorError when it is neither true nor false; not given is false. */
  flag(name: string): boolean {
    const text = this.text(name);
    if (text === "" || FALSE.has(text)) return false;
    if (TRUE.has(text)) return true;
    throw undecodable("boolean", name, "ParseBool", text, "invalid syntax");
  }

  /** @throws MonitorError when it is no whole number of 64 bits; not given is 0. */
  int(name: string): number {
    const text = this.text(name);
    if (text === "") return 0;
    if (!/^[+-]?\d+$/.test(text)) throw undecodable("int", name, "Atoi", text, "invalid syntax");
    const value = BigInt(text.replace("+", ""));
    if (BigInt.asIntN(64, value) !== value)
      throw undecodable("int", name, "Atoi", text, "value out of range");
    return Number(value);
  }

  /** @throws MonitorError when it is no whole number of 64 bits from 0; not given is 0. */
  uint(name: string): number {
    const text = this.text(name);
    if (text === "") return 0;
    if (!/^\d+$/.test(text)) throw undecodable("uint64", name, "ParseUint", text, "invalid syntax");
    const value = BigInt(text);
    if (BigInt.asUintN(64, value) !== value)
      throw undecodable("uint64", name, "ParseUint", text, "value out of range");
    return Number(value);
  }

  /** The parameter `subs`, which is a flag or "detail". */
  subs(): { subscriptions: boolean; subscriptions_detail: boolean } {
    const detail = this.text("subs").toLowerCase() === "detail";
    return { subscriptions: !detail && this.flag("subs"), subscriptions_detail: detail };
  }
}

function undecodable(type: string, name: string, parser: string, text: string, why: string): MonitorError {
  return new MonitorError(
    `Error decoding ${type} for '${name}': strconv.${parser}: parsing ${JSON.stringify(text)}: ${why}`,
  );
}
