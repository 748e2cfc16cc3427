import { StorageError } from "../../storage/errors.ts";
import { ApiError } from "../errors.ts";

/** What is to be known about a message that another stream has stored, and who hears what becomes of it. */
export interface FromOrigin {
  /** When it was stored there, in ms since the epoch, if that is to stay; undefined for now. */
  readonly time: number | undefined;
  /**
   * Called right before it is stored: whether it still is to be.
   * @throws ApiError, StorageError for why it cannot be.
   */
  ready(): boolean;
  /** It has got a number, or is there already (0). */
  stored(seq: number): void;
  refused(error: ApiError | StorageError): void;
}

/** Whether a message is to be stored now; if it cannot be, that is told. */
export function isReady(origin: FromOrigin): boolean {
  try {
    return origin.ready();
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof StorageError)) throw error;
    origin.refused(error);
    return false;
  }
}
