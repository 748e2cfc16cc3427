import { type Codec, Decoding, JsonValueError } from "./codec.ts";
import { JsonScanner, JsonSyntaxError } from "./scan.ts";

/** A request's body cannot be read. The message is nats-server's, which goes into the answer. */
export class RequestJsonError extends Error {
  override readonly name = "RequestJsonError";
}

/**
 * Reads the body of an API request (nats-server `unmarshalRequest`): a field that there is not is an error, and several values one after the
 * other are taken as one. An empty body is a request with nothing set. With `strict` false (the option `jetstream.strict`), a body
 * that is refused is read once more, and may then have fields that there are not.
 * @throws RequestJsonError
 */
export function decodeRequest<T>(codec: Codec<T>, body: Uint8Array, strict = true): T {
  let value = codec.zero();
  try {
    const scanner = new JsonScanner(body);
    for (let node = scanner.next(); node !== undefined; node = scanner.next()) {
      const decoding = new Decoding(body, true);
      value = codec.read(node, decoding, value);
      if (decoding.error !== undefined) throw new RequestJsonError(decoding.error);
    }
    return value;
  } catch (error) {
    if (!strict) return decodeJson(codec, body, value);
    if (error instanceof JsonSyntaxError && error.offset !== undefined) {
      throw new RequestJsonError(`${error.message} at offset ${error.offset}`);
    }
    throw asRequestError(error);
  }
}

/**
 * Reads a body that is one value; fields that there are not are passed over (Go's `json.Unmarshal`).
 * @throws RequestJsonError
 */
export function decodeJson<T>(codec: Codec<T>, body: Uint8Array, start: T = codec.zero()): T {
  try {
    const node = new JsonScanner(body).only();
    const decoding = new Decoding(body, false);
    const value = codec.read(node, decoding, start);
    if (decoding.error !== undefined) throw new RequestJsonError(decoding.error);
    return value;
  } catch (error) {
    throw asRequestError(error);
  }
}

function asRequestError(error: unknown): unknown {
  if (error instanceof JsonSyntaxError || error instanceof JsonValueError)
    return new RequestJsonError(error.message);
  return error;
}

/** Whether the body asks for nothing: no bytes, or an object without fields (nats-server `isEmptyRequest`). */
export function isEmptyRequest(body: Uint8Array): boolean {
  if (body.length === 0) return true;
  try {
    const node = new JsonScanner(body).only();
    return node.kind === "object" && node.members.length === 0;
  } catch {
    return false;
  }
}
