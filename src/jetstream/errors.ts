import { API_ERRORS } from "./error-table.ts";

type Table = typeof API_ERRORS;

/** The number of an error of the JetStream API. */
export type ApiErrorCode = keyof Table;

/** The names in braces of a text. */
type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;

/** What an error's text needs put in: nothing for most. */
export type ApiErrorValues<Code extends ApiErrorCode> = [Placeholders<Table[Code][1]>] extends [never]
  ? []
  : [values: Readonly<Record<Placeholders<Table[Code][1]>, string | number>>];

/** An error of the JetStream API, as clients get it. The message is nats-server's description. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The class, like HTTP's: 400, 404, 503 ... */
  readonly code: number;
  /** The number that clients test. */
  readonly errCode: ApiErrorCode;

  constructor(code: number, errCode: ApiErrorCode, description: string) {
    super(description);
    this.code = code;
    this.errCode = errCode;
  }

  /** The form that answers hold, in nats-server's order. */
  toJSON(): { code: number; err_code: number; description: string } {
    return { code: this.code, err_code: this.errCode, description: this.message };
  }
}

/** The error with this number; what its text names in braces is put in: `apiError(10025, { err: "unexpected EOF" })`. */
export function apiError<Code extends ApiErrorCode>(
  errCode: Code,
  ...values: ApiErrorValues<Code>
): ApiError {
  const [code, text] = API_ERRORS[errCode];
  const given = values[0] as Readonly<Record<string, string | number>> | undefined;
  const description =
    given === undefined ? text : text.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name]));
  return new ApiError(code, errCode, description);
}

/** The error of a stream's configuration that breaks a rule. */
export function invalidStreamConfig(err: string): ApiError {
  return apiError(10052, { err });
}

/** The error of a request that asks to be taken literally, and whose values would have been put right. */
export function pedantic(err: string): ApiError {
  return apiError(10157, { err });
}
