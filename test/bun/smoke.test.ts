/** The build on Bun. */
import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import { SAID, SMOKE, said } from "../support/smoke.ts";

it("runs on Bun: server and clients, in process and over TCP, bcrypt, monitoring", async () => {
  assert.equal(await said(process.env.BUN!, [SMOKE]), SAID);
});
