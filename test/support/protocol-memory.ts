/** How much memory is in use, for tests of what is forgotten. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of live objects, after a garbage collection. */
export function liveBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
