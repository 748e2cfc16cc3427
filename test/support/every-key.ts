import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { tlsFile } from "./tls-files.ts";

/** Sets the variables that test/fixtures/config/every-key.conf refers to; what it returns takes them back. */
export function setEveryKeyVariables(): () => void {
  const variables = {
    SERVER_CERT: tlsFile("server.pem"),
    SERVER_KEY: tlsFile("server-key.pem"),
    CA: tlsFile("ca.pem"),
    STORE_DIR: join(tmpdir(), `gnatlet-every-key-${process.pid}`),
  };
  for (const [name, value] of Object.entries(variables)) process.env[name] = `'${value}'`;
  return () => {
    for (const name of Object.keys(variables)) delete process.env[name];
    rmSync(variables.STORE_DIR, { recursive: true, force: true });
  };
}
