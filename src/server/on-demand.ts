/**
 * The parts of a server that are loaded when they are first used. Most embedded servers never use them: they should neither hold their code nor
 * wait for it. Whatever is imported here is imported nowhere else in the server but for its types, so that a bundler puts it in
 * files of their own (test/package/on-demand.test.ts holds us to that).
 */

/** What checks options, and makes accounts and users: for options that are not empty. */
export const loadOptions = () => import("./checked-settings.ts");

/** What views read, and monitoring's listener: for `http`, `https`, and the system account. */
export const loadMonitoring = () => import("./monitor/monitoring.ts");

/** Streams and consumers in views: for who asks for them. */
export const loadJszDetails = () => import("./monitor/jsz-details.ts");

/** The views over HTTP, the live page and metrics: for `http` and `https`. */
export const loadMonitor = () => import("./monitor/monitor.ts");

/** The system account's events and services: for who listens or asks there, and for traces of messages. */
export const loadSystem = () => import("./system/parts.ts");

/** The listener for clients over WebSocket: for `websocket`. */
export const loadWebsocket = () => import("./websocket/listener.ts");

/** What other options change in a running server: for a reload. */
export const loadReload = () => import("./reload.ts");

/** JetStream, for the option `jetstream`. */
export const loadJetStream = () => import("./jetstream.ts");
