/** fast-check, told to make lists and texts up to their longest; by itself it stops at about ten, whatever the longest is. */
import * as fc from "fast-check";

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export { fc };
