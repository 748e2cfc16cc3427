/** `--signal`: which process gets what, and what is said when none can be found. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type ProcessTable, sendSignal } from "../../src/cli/send-signal.ts";

/** Processes that are not there, and what was sent to them. */
function table(pids: number[] | undefined): ProcessTable & { sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    find: (name) => (name === "gnatlet" ? pids : []),
    kill: (pid, signal) => {
      if (pid === 666) throw Object.assign(new Error("kill ESRCH"), { code: "ESRCH" });
      sent.push(`${pid} ${signal}`);
    },
  };
}

describe("--signal", () => {
  const cases: [parameter: string, pids: number[] | undefined, sent: string[], says?: string][] = [
    ["quit", [12], ["12 SIGINT"]],
    ["stop=7", [12], ["7 SIGKILL"]],
    ["term=7", undefined, ["7 SIGTERM"]],
    ["reopen=7", [], ["7 SIGUSR1"]],
    ["reload=7", [], ["7 SIGHUP"]],
    ["ldm=7", [], ["7 SIGUSR2"]],
    ["ldm=*", [12, 34], ["12 SIGUSR2", "34 SIGUSR2"]],
    ["ldm=1*", [12, 34, 15], ["12 SIGUSR2", "15 SIGUSR2"]],
    ["quit", [], [], "no gnatlet processes running"],
    ["quit", undefined, [], "unable to resolve pid, try providing one"],
    ["quit", [12, 34], [], "multiple gnatlet processes running:\n12\n34"],
    ["quit=a", [12], [], "invalid pid: a"],
    ["toString", [12], [], 'unknown signal "toString"'],
    ["stop=1=2=3", [12], [], "invalid signal parameters: [2 3]"],
    ["quit=666", [], [], '\nsignal "quit" 666: no such process'],
  ];
  for (const [parameter, pids, sent, says] of cases) {
    it(`${parameter} with ${pids?.length ?? "unknown"} running`, () => {
      const processes = table(pids);
      assert.equal(sendSignal(parameter, "gnatlet", processes), says);
      assert.deepEqual(processes.sent, sent);
    });
  }

  it("reads the pid from a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "gnatlet-pid-"));
    const file = join(folder, "server.pid");
    writeFileSync(file, "42");
    const processes = table([]);
    assert.equal(sendSignal(`term=${file}`, "gnatlet", processes), undefined);
    assert.deepEqual(processes.sent, ["42 SIGTERM"]);
    rmSync(folder, { recursive: true });
  });
});
