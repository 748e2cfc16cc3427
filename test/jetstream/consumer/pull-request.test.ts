import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readPullRequest } from "../../../src/jetstream/consumer/pull-request.ts";
import { decodeText, encodeText } from "../../../src/protocol/text.ts";

const name = fc.constantFrom(
  "batch",
  "expires",
  "idle_heartbeat",
  "max_bytes",
  "no_wait",
  "group",
  "id",
  "priority",
  "min_pending",
  "Batch",
);

const value = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom("30000000000", "1.5", "1e3", "-0", "9007199254740993", "99999999999999999999", "1500001"),
  fc.boolean().map(String),
  fc.string().map((text) => JSON.stringify(text)),
  fc.constantFrom("null", "[]", "{}", '"\\u00e9"'),
);

function shown(text: string): unknown {
  const { request, refused } = readPullRequest(encodeText(text));
  return request ?? decodeText(refused!, 0, refused!.length);
}

test("a request is read the same by the short way and the long one", () => {
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.array(value, { minLength: 10, maxLength: 10 }), (names, values) => {
      const members = names.map((each, i) => `"${each}":${values[i]}`);
      // A field that there is not is passed over, but takes the long way.
      const long = [...members, '"not_a_field":1'];
      assert.deepEqual(shown(`{${members.join(",")}}`), shown(`{${long.join(",")}}`));
    }),
    { numRuns: 2_000 },
  );
});
