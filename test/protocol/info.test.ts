/** The line of `INFO`: nats-server's order of fields, whatever order they were set in, and a space before the line end. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { infoLine, type ServerInfo } from "../../src/protocol/info.ts";

const INFO: ServerInfo = {
  max_payload: 5,
  client_id: 7,
  server_id: "N",
  connect_info: true,
  client_ip: "::1",
  server_name: "n",
  headers: true,
  version: "2.14.0",
  port: 1,
  proto: 1,
  host: "h",
  go: "node",
};

it("has the server's order", () => {
  assert.equal(
    infoLine(INFO),
    'INFO {"server_id":"N","server_name":"n","version":"2.14.0","proto":1,"go":"node","host":"h","port":1,' +
      '"headers":true,"max_payload":5,"client_id":7,"client_ip":"::1","connect_info":true} \r\n',
  );
});

it("loses no field, and no element of a list", () => {
  const all: Required<ServerInfo> = {
    ...INFO,
    git_commit: "c",
    auth_required: true,
    tls_required: true,
    tls_verify: false,
    tls_available: true,
    jetstream: true,
    client_ip: "::1",
    nonce: "x",
    cluster: "c",
    domain: "d",
    connect_urls: ["a:1", "b:2"],
    ldm: true,
    connect_info: true,
    remote_account: "$G",
    acc_is_sys: false,
    api_lvl: 5,
  };
  const line = infoLine(all);
  assert.deepEqual(JSON.parse(line.slice("INFO ".length, -" \r\n".length)), all);
});
