import type { Random } from "../seams/random.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The prefix byte that makes the text of an nkey begin with `N`, for a server. */
const SERVER_PREFIX = 13 << 3;

/** Bytes that the checksum covers: the prefix and 32 more. */
const COVERED_BYTES = 33;
const ID_BYTES = COVERED_BYTES + 2;

/** What four bits add to the checksum, by their value: CRC-16/XMODEM, 0x1021 is the polynomial. */
const CRC_STEPS = Array.from({ length: 16 }, (_, value) => {
  let crc = value << 12;
  for (let bit = 0; bit < 4; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * A new server id: 56 characters in the form of a server's public nkey (prefix, 32 bytes, CRC-16 with the low byte first, in base 32). The bytes are random
 * instead of a key, because nothing is signed with it and making a key pair takes longer than all the rest of a start. It is no secret, INFO tells it, so that
 * they need not come from the system's generator, which a program would have to load.
 *
 * All in one loop: it runs once, early in a start, when every function and iterator that is used first costs more than what it does.
 */
export function newServerId(random: Random): string {
  let text = "";
  let crc = 0;
  let bits = 0;
  let value = 0;
  for (let i = 0; i < ID_BYTES; i++) {
    let byte = SERVER_PREFIX;
    if (i >= COVERED_BYTES) byte = i === COVERED_BYTES ? crc & 0xff : crc >>> 8;
    else if (i > 0) byte = Math.floor(random.fraction() * 256);
    if (i < COVERED_BYTES) {
      crc = ((crc << 4) & 0xffff) ^ CRC_STEPS[(crc >>> 12) ^ (byte >>> 4)];
      crc = ((crc << 4) & 0xffff) ^ CRC_STEPS[(crc >>> 12) ^ (byte & 15)];
    }
    value = ((value << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
  }
  return text;
}
