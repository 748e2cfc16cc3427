/** What the log and the API say of encrypted streams, beside nats-server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { RealServer } from "../support/real-server.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-encryption-"));
after(() => rmSync(folder, { recursive: true }));

interface Running extends AsyncDisposable {
  readonly port: number;
  lines(): readonly string[];
}

type Start = (name: string, config: string) => Promise<Running>;

function configFile(name: string, config: string): string {
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, `jetstream { store_dir: ${JSON.stringify(join(folder, name))}${config} }`);
  return file;
}

const startOurs: Start = async (name, config) => {
  const logger = new RecordingLogger();
  const listen = { host: "127.0.0.1", port: 0 };
  const server = await NatsServer.fromConfigFile(configFile(name, config), { listen, logger });
  const dispose = (): Promise<void> => server.close();
  return { port: server.port!, lines: () => logger.lines, [Symbol.asyncDispose]: dispose };
};

const startReal: Start = async (name, config) => {
  const server = await RealServer.start(["-c", configFile(name, config)]);
  const dispose = (): Promise<void> => server.close();
  return { port: server.port, lines: () => server.log, [Symbol.asyncDispose]: dispose };
};

async function ask(nc: NatsConnection, request: string, body: object | string = ""): Promise<unknown> {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const { error, success, total, seq, config } = JSON.parse((await nc.request(request, payload)).string());
  return { error, success, total, seq, name: config?.name };
}

const STREAM = { name: "S", subjects: ["s.>"] };

/** What is said of a stream that cannot be opened; nothing more, as nats-server deletes all that the account has when it was not made. */
const ASKED: readonly (readonly [request: string, body: object])[] = [
  ["STREAM.INFO.S", {}],
  ["STREAM.NAMES", {}],
  ["STREAM.LIST", {}],
  ["CONSUMER.INFO.S.c", {}],
  ["STREAM.MSG.GET.S", { seq: 1 }],
  ["STREAM.DELETE.S", {}],
  ["STREAM.CREATE.S", STREAM],
  ["STREAM.INFO.S", {}],
  ["STREAM.NAMES", {}],
];

/** What is the same for both of what a server says with a configuration. */
async function said(start: Start, name: string, config: string, asked: typeof ASKED): Promise<unknown[]> {
  await using server = await start(name, config);
  const nc = await connect({ port: server.port });
  const answers: unknown[] = [];
  for (const [request, body] of asked) {
    const subject = request.startsWith("s.") ? request : `$JS.API.${request}`;
    answers.push([request, await ask(nc, subject, body)]);
  }
  await nc.close();
  const lines = server.lines().filter((line) => /Encryption:|Encrypting|Converting/.test(line));
  // The order is another: here the streams come first.
  return [...answers, ...lines.sort()];
}

for (const [what, made, then] of [
  ["another key", ", key: one", ", key: two"],
  ["no key", ", key: one, cipher: aes", ""],
  ["an empty key", ", ek: one", ', key: "", cipher: AES'],
  ["the key before as the only one", ", encryption_key: one", ", prev_key: one"],
] as const) {
  it(`with ${what} a stream that is encrypted is not there, as with nats-server`, async () => {
    const name = what.replaceAll(" ", "-");
    const make: typeof ASKED = [["STREAM.CREATE.S", STREAM]];
    for (const [config, asked] of [
      [made, make],
      [then, ASKED],
    ] as const) {
      const ours = await said(startOurs, `ours-${name}`, config, asked);
      assert.deepEqual(ours, await said(startReal, `real-${name}`, config, asked));
    }
  });
}

it("says that a stream is encrypted, and converted, as nats-server does", async () => {
  const asked: typeof ASKED = [
    ["STREAM.INFO.S", {}],
    ["s.1", {}],
  ];
  const both = async (config: string, what = asked): Promise<void> => {
    const ours = await said(startOurs, "ours", config, what);
    assert.deepEqual(ours, await said(startReal, "real", config, what));
  };
  await both("", [
    ["STREAM.CREATE.S", STREAM],
    ["s.1", {}],
  ]);
  await both(", key: one");
  await both(", key: one");
  await both(", key: one, cipher: aes");
  await both(", key: two, prev_key: one, cipher: chacha");
});
