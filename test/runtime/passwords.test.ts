/** bcrypt in a thread of its own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import bcrypt from "bcryptjs";
import { WorkerPasswords } from "../../src/runtime/node/passwords.ts";

const HASH = bcrypt.hashSync("secret", 4);

describe("passwords", () => {
  it("are checked one after the other; hashes that cannot be read are those of none", async () => {
    const passwords = new WorkerPasswords();
    const answers = await Promise.all([
      passwords.verify(HASH, "secret"),
      passwords.verify(HASH, "other"),
      passwords.verify("$2a$04$short", "secret"),
      passwords.verify(HASH.replace("$2b$", "$2x$"), "secret"),
    ]);
    assert.deepEqual(answers, [true, false, false, true]);
    passwords.close();
  });

  it("of clients that have gone are not checked", async () => {
    const passwords = new WorkerPasswords();
    // Each of these would take seconds.
    const costly = bcrypt.hashSync("secret", 4).replace("$04$", "$15$");
    const abandoned = Array.from({ length: 1_000 }, () => passwords.verify(costly, "secret", () => true));
    assert.equal(await passwords.verify(HASH, "secret"), true);
    assert.ok((await Promise.all(abandoned)).every((same) => !same));
    passwords.close();
  });

  it("are answered with false when it ends", async () => {
    const passwords = new WorkerPasswords();
    const answers = [1, 2, 3].map(() => passwords.verify(HASH, "secret"));
    passwords.close();
    assert.deepEqual(await Promise.all(answers), [false, false, false]);
  });
});
