/** An array as it is saved: its bytes, little-endian. */
export type SavedArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array;

/** Gives saved arrays back, in the order that they were saved in. They share the bytes that were read. */
export class SavedArrays {
  readonly #parts: readonly Uint8Array[];
  #at = 0;

  /** @param parts - the bytes of each; they begin at multiples of 8 in their buffer. */
  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  u8(): Uint8Array {
    return this.#parts[this.#at++];
  }

  u16(): Uint16Array {
    const { buffer, byteOffset, byteLength } = this.u8();
    return new Uint16Array(buffer, byteOffset, byteLength / 2);
  }

  u32(): Uint32Array {
    const { buffer, byteOffset, byteLength } = this.u8();
    return new Uint32Array(buffer, byteOffset, byteLength / 4);
  }

  i32(): Int32Array {
    const { buffer, byteOffset, byteLength } = this.u8();
    return new Int32Array(buffer, byteOffset, byteLength / 4);
  }

  f64(): Float64Array {
    const { buffer, byteOffset, byteLength } = this.u8();
    return new Float64Array(buffer, byteOffset, byteLength / 8);
  }
}
