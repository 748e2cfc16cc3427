/** What monitoring tells of a client's certificate, as nats-server has it. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { goSubject } from "../../src/runtime/node/tls-facts.ts";
import { pem } from "../support/tls-files.ts";

describe("a certificate's subject", () => {
  it("is written as Go does", () => {
    const { subject } = new X509Certificate(pem("client.pem"));
    assert.equal(goSubject(subject), "CN=alice,OU=Clients\\, Test,O=Gnatlet Tests,C=CH");
  });

  it("has parts of one kind together, and unknown ones last", () => {
    assert.equal(
      goSubject("emailAddress=a@b\nC=CH\nOU=one\nOU=two\nCN=x + serialNumber=5"),
      "SERIALNUMBER=5,CN=x,OU=one+OU=two,C=CH,emailAddress=a@b",
    );
  });
});
