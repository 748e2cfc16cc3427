import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { API_ERRORS } from "../../src/jetstream/error-table.ts";
import { type ApiErrorCode, apiError } from "../../src/jetstream/errors.ts";

/** Number, class and text of every error, as nats-server's own list has them. */
const FACTS: [errCode: number, code: number, description: string][] = JSON.parse(
  readFileSync(new URL("../fixtures/jetstream/errors.json", import.meta.url), "utf8"),
);

test("every error of nats-server is there, with its class and text, and no other", () => {
  const ours = Object.entries(API_ERRORS).map(([errCode, [code, text]]) => [Number(errCode), code, text]);
  assert.deepEqual(ours, FACTS);
  assert.equal(FACTS.length, 226);
});

test("an error is made with what its text names, and becomes JSON in nats-server's order", () => {
  for (const [errCode, code, description] of FACTS) {
    const names = [...description.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const values = Object.fromEntries(names.map((name) => [name, `<${name} {err}>`]));
    const make = apiError as (
      errCode: ApiErrorCode,
      values?: Record<string, string>,
    ) => ReturnType<typeof apiError>;
    const error = names.length === 0 ? make(errCode as ApiErrorCode) : make(errCode as ApiErrorCode, values);
    const text = names.reduce((out, name) => out.split(`{${name}}`).join(`\u0000${name}\u0000`), description);
    const expected = text.replace(/\0(\w+)\0/g, (_, name: string) => values[name]);
    assert.equal(error.message, expected);
    assert.equal(JSON.stringify(error), JSON.stringify({ code, err_code: errCode, description: expected }));
  }
});

test("numbers go into texts", () => {
  assert.equal(apiError(10071, { seq: 5 }).message, "wrong last sequence: 5");
  assert.equal(apiError(10058).message, "stream name already in use with a different configuration");
});
