import * as listeners from "./listeners.ts";
import type { BlockName, OptionRow } from "./row.ts";
import * as security from "./security.ts";
import { SERVER } from "./server.ts";

/**
 * Every option and every configuration key, block by block. What validates options, reads files, compares them at a reload, and writes
 * docs/configuration.md goes by this table.
 */
export const BLOCKS: Readonly<Record<BlockName, readonly OptionRow[]>> = {
  server: SERVER,
  tls: security.TLS,
  authorization: security.AUTHORIZATION,
  user: security.USER,
  permissions: security.PERMISSIONS,
  responses: security.RESPONSES,
  account: security.ACCOUNT,
  accountLimits: security.ACCOUNT_LIMITS,
  accountJetstream: security.ACCOUNT_JETSTREAM,
  simpleAuthorization: security.SIMPLE_AUTHORIZATION,
  authCallout: security.AUTH_CALLOUT,
  proxies: security.PROXIES,
  trustedProxy: security.TRUSTED_PROXY,
  websocket: listeners.WEBSOCKET,
  cluster: listeners.CLUSTER,
  clusterAuthorization: listeners.CLUSTER_AUTHORIZATION,
  gateway: listeners.GATEWAY,
  gatewayRemote: listeners.GATEWAY_REMOTE,
  leafnodes: listeners.LEAFNODES,
  leafAuthorization: listeners.LEAF_AUTHORIZATION,
  leafUser: listeners.LEAF_USER,
  leafRemote: listeners.LEAF_REMOTE,
  leafProxy: listeners.LEAF_PROXY,
  mqtt: listeners.MQTT,
  jetstream: listeners.JETSTREAM,
  jetstreamLimits: listeners.JETSTREAM_LIMITS,
  jetstreamBatch: listeners.JETSTREAM_BATCH,
  jetstreamTpm: listeners.JETSTREAM_TPM,
};
