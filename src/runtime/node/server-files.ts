/** The files that a server writes: loaded when the options name one. */
export { NodeLogger } from "./node-logger.ts";
export { writePidFile } from "./pid-file.ts";
export { PortsFile } from "./ports-file.ts";
