import type { StorageType } from "../stream/config.ts";

/** Bytes by where they are. */
export interface Amounts {
  readonly memory: number;
  readonly file: number;
}

/** What streams hold and were promised: of an account, or (without `whole`) of the server. */
export class Usage {
  readonly #whole: Usage | undefined;
  readonly #used = { memory: 0, file: 0 };
  readonly #reserved = { memory: 0, file: 0 };

  /** @param whole - that of the server, which this one is a part of. */
  constructor(whole?: Usage) {
    this.#whole = whole;
  }

  /** Bytes of messages, as the stores count them. */
  get used(): Amounts {
    return this.#used;
  }

  /** Bytes promised by `max_bytes`. */
  get reserved(): Amounts {
    return this.#reserved;
  }

  /** A stream holds so many bytes more, or fewer. */
  use(storage: StorageType, bytes: number): void {
    this.#used[storage] += bytes;
    this.#whole?.use(storage, bytes);
  }

  /** A stream is promised so many bytes more, or fewer. */
  reserve(storage: StorageType, bytes: number): void {
    this.#reserved[storage] += bytes;
    this.#whole?.reserve(storage, bytes);
  }
}
