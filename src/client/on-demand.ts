/**
 * The parts of the client that are loaded when they are first used. Whatever is imported here is imported nowhere else but for its types,
 * so that a bundler puts it in files of their own (test/package/client-bundle.test.ts weighs them).
 */

/** What finds servers, greets them and speaks bytes: a connection within the program does without until it is lost. */
export const loadConnector = () => import("./connector.ts");

/** What shows bytes: for `debug`. */
export const loadDebugLink = () => import("./debug-link.ts");
