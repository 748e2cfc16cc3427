import type { Random } from "../seams/random.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The prefix byte that makes the text of an nkey begin with `N`, for a server. */
const SERVER_PREFIX = 13 << 3;

/**
 * A new server id: 56 characters in the form of a server's public nkey (prefix, 32 bytes, CRC-16, in base 32). The bytes are random
 * instead of a key, because nothing is signed with it and making a key pair takes longer than all the rest of a start. It is no secret, INFO tells it, so that
 * they need not come from the system's generator, which a program would have to load.
 */
export function newServerId(random: Random): string {
  const raw = new Uint8Array(35);
  for (let i = 0; i < raw.length; i++) raw[i] = random.fraction() * 256;
  raw[0] = SERVER_PREFIX;
  const crc = crc16(raw.subarray(0, 33));
  raw[33] = crc & 0xff;
  raw[34] = crc >>> 8;
  return base32(raw);
}

/** What four bits add to the checksum, by their value: 0x1021 is the polynomial. */
const CRC_STEPS = Array.from({ length: 16 }, (_, value) => {
  let crc = value << 12;
  for (let bit = 0; bit < 4; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** CRC-16/XMODEM: what nkeys end with, low byte first. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc = ((crc << 4) & 0xffff) ^ CRC_STEPS[(crc >>> 12) ^ (byte >>> 4)];
    crc = ((crc << 4) & 0xffff) ^ CRC_STEPS[(crc >>> 12) ^ (byte & 15)];
  }
  return crc;
}

function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
  }
  return text;
}
