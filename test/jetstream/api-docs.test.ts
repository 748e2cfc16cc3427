/** docs/jetstream-api.md says what the tables and the source say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { jetstreamPage, NOT_RAISED, PAGE, raisedErrors } from "../../scripts/jetstream-docs.ts";
import { API_ERRORS } from "../../src/jetstream/error-table.ts";

describe("docs/jetstream-api.md", () => {
  it("is what scripts/jetstream-docs.ts writes", () => {
    assert.equal(readFileSync(PAGE, "utf8"), jetstreamPage(), "run npx tsx scripts/jetstream-docs.ts");
  });

  it("every error is raised by the source, or there is one reason why not", () => {
    const explained = Object.values(NOT_RAISED).flat();
    assert.equal(new Set(explained).size, explained.length);
    const numbers = [...raisedErrors(), ...explained].sort((a, b) => a - b);
    assert.deepEqual(numbers, Object.keys(API_ERRORS).map(Number));
  });
});
