/** What each signal does, with a server and a process that are not there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CommandServer } from "../../src/cli/command-server.ts";
import { handleSignals } from "../../src/cli/signals.ts";

/** Signals to a server that closes and leaves when it is told to. */
class Stage {
  readonly seen: string[] = [];
  now = 0;
  closed!: () => void;
  left!: () => void;
  readonly #listeners = new Map<string, () => void>();

  constructor(starting?: Promise<unknown>) {
    const seen = this.seen;
    const server = {
      close: () => {
        seen.push("close");
        return new Promise<void>((resolve) => {
          this.closed = resolve;
        });
      },
      lameDuck: () => {
        seen.push("lame duck");
        return new Promise<void>((resolve) => {
          this.left = resolve;
        });
      },
      reload: () => Promise.reject(new Error("no file")),
      reopenLog: () => seen.push("reopen"),
      say: (level: string, text: string) => seen.push(`${level}: ${text}`),
    };
    handleSignals(
      (starting ?? Promise.resolve()).then(() => server as unknown as CommandServer),
      {
        on: (signal, listener) => this.#listeners.set(signal, listener),
        exit: (code) => seen.push(`exit ${code}`),
        now: () => this.now,
      },
    );
  }

  /** Sends a signal; what was done for it, once all that follows at once has been done. */
  async send(signal: string): Promise<string[]> {
    this.#listeners.get(signal)!();
    return this.settle();
  }

  async settle(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.seen.splice(0);
  }
}

describe("signals", () => {
  for (const [signal, name] of [
    ["SIGINT", "interrupt"],
    ["SIGTERM", "terminated"],
  ]) {
    it(`${signal} closes the server, then ends`, async () => {
      const stage = new Stage();
      assert.deepEqual(await stage.send(signal), [`notice: Trapped "${name}" signal`, "close"]);
      stage.closed();
      assert.deepEqual(await stage.settle(), ["exit 0"]);
    });
  }

  it("a second SIGINT ends at once, unless it is the same one", async () => {
    const stage = new Stage();
    await stage.send("SIGINT");
    stage.now = 249;
    assert.deepEqual(await stage.send("SIGINT"), []);
    stage.now = 250;
    assert.deepEqual(await stage.send("SIGINT"), ["exit 1"]);
  });

  it("lame duck mode ends when it is over; SIGTERM and a second SIGUSR2 do not hurry it, SIGINT does", async () => {
    const stage = new Stage();
    assert.deepEqual(await stage.send("SIGUSR2"), [
      'notice: Trapped "user defined signal 2" signal',
      "lame duck",
    ]);
    assert.deepEqual(await stage.send("SIGUSR2"), ['notice: Trapped "user defined signal 2" signal']);
    assert.deepEqual(await stage.send("SIGTERM"), ['notice: Trapped "terminated" signal']);
    stage.left();
    assert.deepEqual(await stage.settle(), ["close"]);
    stage.closed();
    assert.deepEqual(await stage.settle(), ["exit 0"]);
    const hurried = new Stage();
    await hurried.send("SIGUSR2");
    assert.deepEqual(await hurried.send("SIGINT"), ['notice: Trapped "interrupt" signal', "close"]);
  });

  it("SIGHUP reloads, and says why it cannot; SIGUSR1 opens the log anew", async () => {
    const stage = new Stage();
    assert.deepEqual(await stage.send("SIGHUP"), [
      'notice: Trapped "hangup" signal',
      "error: Failed to reload server configuration: no file",
    ]);
    assert.deepEqual(await stage.send("SIGUSR1"), [
      'notice: Trapped "user defined signal 1" signal',
      "reopen",
    ]);
  });

  it("wait for the server to have started", async () => {
    let started!: () => void;
    const stage = new Stage(
      new Promise<void>((resolve) => {
        started = resolve;
      }),
    );
    assert.deepEqual(await stage.send("SIGTERM"), []);
    started();
    assert.deepEqual(await stage.settle(), ['notice: Trapped "terminated" signal', "close"]);
  });

  it("are nothing to a server that does not start", async () => {
    const stage = new Stage(Promise.reject(new Error("port in use")));
    assert.deepEqual(await stage.send("SIGTERM"), []);
  });
});
