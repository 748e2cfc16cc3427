/** Public nkeys, as configuration files name users, accounts, operators and servers: base32 of a kind, 32 bytes, and a checksum. */

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** How many bytes a public key has with its kind before it and the checksum after it. */
const LENGTH = 35;

/** Whether this is the public key of a user ("U"), an account ("A"), an operator ("O"), a curve ("X") or another kind. */
export function isPublicKey(text: string, kind: string): boolean {
  return text.startsWith(kind) && isChecked(decode(text), LENGTH);
}

/** Whether this is the seed of a user. */
export function isUserSeed(text: string): boolean {
  return text.startsWith("SU") && isChecked(decode(text), LENGTH + 1);
}

function decode(text: string): number[] | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of text) {
    const value = BASE32.indexOf(char);
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return bytes;
}

/** Whether the last two bytes are the CRC-16 (XMODEM) of the others, low byte first. */
function isChecked(bytes: number[] | undefined, length: number): boolean {
  if (bytes?.length !== length) return false;
  let crc = 0;
  for (const byte of bytes.slice(0, -2)) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = (crc & 0x8000) !== 0 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
  }
  return bytes[length - 2] === (crc & 0xff) && bytes[length - 1] === crc >> 8;
}
