/** The version of this library: the one in package.json, which a test holds it to. */
export const VERSION = "0.1.0";

/** The nats-server release whose behaviour this is; clients switch features on by it. */
export const NATS_VERSION = "2.14.5";

/** The level of the JetStream API of that release (ADR-44). */
export const API_LEVEL = 4;
