import type { Broker } from "../broker/broker.ts";
import { JetStream } from "../jetstream/jetstream.ts";
import type { JetStreamAccountSettings, JetStreamSettings } from "../jetstream/settings.ts";
import type { AccountLimits } from "../jetstream/stream/context.ts";
import { messageOf } from "../protocol/message-of.ts";
import { cipherTitle } from "../seams/ciphers.ts";
import type { SwitchedLogger } from "../seams/logger.ts";
import type { Runtime } from "../seams/runtime.ts";
import type { EncryptionSettings } from "../storage/encryption.ts";
import { ServerError } from "./errors.ts";
import { friendlyBytes } from "./friendly-bytes.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import type { AccountJetStreamOptions, JetStreamOptions } from "./options/types.ts";
import { requesterInfo } from "./system/client-info.ts";

/** The share of memory and of free space that is JetStream's where nothing is said (nats-server `dynJetStreamConfig`). */
const SHARE = 0.75;
const REQUEST_QUEUE_LIMIT = 10_000;
/** The account of those who name none. */
const GLOBAL_ACCOUNT = "$G";

/** What JetStream is started with. */
export interface JetStreamFacts {
  readonly name: string;
  readonly log: SwitchedLogger;
  readonly options: ResolvedServerOptions;
  /** The folder that streams are kept in; undefined keeps them in memory. */
  readonly storeDir: string | undefined;
}

/**
 * Starts JetStream, whose code is loaded only then. The lines it logs are nats-server's.
 * @throws ServerError `STORAGE_FAILED` that names the folder.
 */
export async function startJetStream(
  broker: Broker,
  runtime: Runtime,
  { name, log, options, storeDir }: JetStreamFacts,
): Promise<JetStream> {
  const { clock, random, tasks } = runtime;
  const disk = await runtime.loadDisk();
  const begun = clock.monotonic();
  log.notice("Starting JetStream");
  const directory = storeDir === undefined ? undefined : `${storeDir}/jetstream`;
  const settings = await settingsOf(options.jetstream ?? {}, directory, runtime);
  const host = {
    ...runtime.fileSizes,
    broker,
    clock,
    random,
    tasks,
    disk,
    logger: log,
    name,
    clientInfo: (session: Parameters<typeof requesterInfo>[0]) =>
      session.id === 0 ? null : requesterInfo(session, name),
  };
  let jetstream: JetStream;
  try {
    jetstream = await JetStream.open(host, settings, accountSettings(options));
  } catch (cause) {
    const why = messageOf(cause);
    log.fatal(`Can't start JetStream: ${why}`);
    throw new ServerError("STORAGE_FAILED", `cannot use ${directory} for JetStream: ${why}`, {
      option: "jetstream.storeDir",
      cause,
    });
  }
  logSettings(log, settings);
  log.notice(`Took ${Math.max(1, Math.round(clock.monotonic() - begun))}ms to start JetStream`);
  return jetstream;
}

async function settingsOf(
  options: JetStreamOptions,
  directory: string | undefined,
  runtime: Runtime,
): Promise<JetStreamSettings> {
  const { host } = runtime;
  const { maxAckPending = 0, maxRequestBatch = 0, duplicateWindow = 0, batch = {} } = options.limits ?? {};
  const { maxMsgs = 0, maxInflightPerStream = 0, maxInflightTotal = 0, timeout = 0 } = batch;
  const memory = Math.floor(host.totalMemory * SHARE);
  const free = directory === undefined ? memory : Math.floor((await host.freeSpace(directory)) * SHARE);
  return {
    directory,
    encryption: directory === undefined ? undefined : await encryptionOf(options, runtime),
    sync: options.syncInterval ?? "always",
    strict: options.strict ?? true,
    domain: options.domain ?? "",
    maxMemory: options.maxMemoryStore ?? memory,
    maxFile: options.maxFileStore ?? free,
    limits: { maxAckPending, maxRequestBatch, duplicateWindow },
    batches: {
      maxMessages: maxMsgs,
      maxPerStream: maxInflightPerStream,
      maxPerServer: maxInflightTotal,
      timeout,
    },
    requestQueueLimit: options.requestQueueLimit ?? REQUEST_QUEUE_LIMIT,
  };
}

/** @throws ServerError `INVALID_OPTION` for a cipher that the platform does not have. */
async function encryptionOf(
  { encryptionKey = "", prevEncryptionKey = "", cipher }: JetStreamOptions,
  { loadCiphers }: Runtime,
): Promise<EncryptionSettings | undefined> {
  if (encryptionKey === "") return undefined;
  const name = cipher === "aes" ? "aes" : "chacha";
  const ciphers = await loadCiphers?.();
  if (!ciphers?.has(name)) {
    const option = ciphers === undefined ? "jetstream.encryptionKey" : "jetstream.cipher";
    const what = ciphers === undefined ? "files" : `with ${cipherTitle(name)}`;
    throw new ServerError("INVALID_OPTION", `option "${option}": this platform cannot encrypt ${what}`, {
      option,
    });
  }
  return { ciphers, cipher: name, key: encryptionKey, previousKey: prevEncryptionKey || undefined };
}

function logSettings(log: SwitchedLogger, settings: JetStreamSettings): void {
  const { strict, maxMemory, maxFile, directory, domain, encryption } = settings;
  log.notice("---------------- JETSTREAM ----------------");
  log.notice(`  Strict:          ${strict}`);
  log.notice(`  Max Memory:      ${friendlyBytes(maxMemory)}`);
  log.notice(`  Max Storage:     ${friendlyBytes(maxFile)}`);
  log.notice(`  Store Directory: ${directory === undefined ? "none, in memory" : JSON.stringify(directory)}`);
  if (domain !== "") log.notice(`  Domain:          ${domain}`);
  if (encryption !== undefined) log.notice(`  Encryption:      ${cipherTitle(encryption.cipher)}`);
  log.notice("-------------------------------------------");
}

/** The accounts that have JetStream: where none are given, the one that everybody is in. */
export function accountSettings({
  accounts,
  systemAccount,
}: ResolvedServerOptions): JetStreamAccountSettings[] {
  const names = Object.keys(accounts).filter((name) => name !== systemAccount);
  if (names.length === 0) return [{ name: GLOBAL_ACCOUNT, limits: limitsOf({}) }];
  return names.flatMap((name) => {
    const { jetstream = false } = accounts[name];
    if (jetstream === false) return [];
    return [{ name, limits: limitsOf(jetstream === true ? {} : jetstream) }];
  });
}

function limitsOf(given: AccountJetStreamOptions): AccountLimits {
  return {
    maxMemory: given.maxMemory ?? -1,
    maxStore: given.maxStore ?? -1,
    maxStreams: given.maxStreams ?? -1,
    maxConsumers: given.maxConsumers ?? -1,
    maxAckPending: given.maxAckPending ?? -1,
    memoryMaxStreamBytes: given.memMaxStreamBytes ?? 0,
    storeMaxStreamBytes: given.diskMaxStreamBytes ?? 0,
    maxBytesRequired: given.maxBytesRequired ?? false,
  };
}

/** Gives JetStream to accounts and takes it away, as other options say; ends it, if they do not ask for it any more. */
export async function reloadJetStream(
  jetstream: JetStream,
  options: ResolvedServerOptions,
  log: SwitchedLogger,
): Promise<void> {
  if (options.jetstream === undefined) {
    await jetstream.close();
    return;
  }
  const { maxMemoryStore, maxFileStore } = options.jetstream;
  jetstream.resize({
    memory: maxMemoryStore ?? jetstream.settings.maxMemory,
    file: maxFileStore ?? jetstream.settings.maxFile,
  });
  const wanted = new Map(accountSettings(options).map((account) => [account.name, account]));
  for (const name of [...jetstream.accounts.keys()]) if (!wanted.has(name)) await jetstream.disable(name);
  for (const account of wanted.values()) {
    if (jetstream.accounts.has(account.name)) jetstream.limit(account);
    else await enable(jetstream, account, log);
  }
}

/** An account whose streams cannot be read does without; the others go on. */
async function enable(
  jetstream: JetStream,
  account: JetStreamAccountSettings,
  log: SwitchedLogger,
): Promise<void> {
  try {
    await jetstream.enable(account);
  } catch (error) {
    const why = messageOf(error);
    log.error(`JetStream cannot be enabled for account '${account.name}': ${why}`);
  }
}
