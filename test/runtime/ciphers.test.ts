import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeCiphers } from "../../src/runtime/node/ciphers.ts";
import { type CipherName, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from "../../src/seams/ciphers.ts";

const ciphers = new NodeCiphers();
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** From RFC 8439, 2.8.2, and from the GCM specification (McGrew and Viega), test case 16. */
const VECTORS: Readonly<Record<CipherName, Readonly<Record<string, Uint8Array>>>> = {
  chacha: {
    key: hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
    nonce: hex("070000004041424344454647"),
    bound: hex("50515253c0c1c2c3c4c5c6c7"),
    plain: new Uint8Array(
      Buffer.from(
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
      ),
    ),
    encrypted: hex(
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b" +
        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
        "3ff4def08e4b7a9de576d26586cec64b6116",
    ),
    tag: hex("1ae10b594f09e26a7e902ecbd0600691"),
  },
  aes: {
    key: hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    nonce: hex("cafebabefacedbaddecaf888"),
    bound: hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    plain: hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" +
        "b16aedf5aa0de657ba637b39",
    ),
    encrypted: hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838" +
        "c5f61e6393ba7a0abcc9f662",
    ),
    tag: hex("76fc6ece0f4e1768cddf8853bb2d551b"),
  },
};

for (const name of ["chacha", "aes"] as const) {
  const { key, nonce, bound, plain, encrypted, tag } = VECTORS[name];
  const box = new Uint8Array([...nonce, ...encrypted, ...tag]);

  test(`${name} is what its specification says`, () => {
    assert.ok(ciphers.has(name));
    assert.equal(key.length, KEY_BYTES);
    const made = new Uint8Array([...nonce, ...plain, ...new Uint8Array(TAG_BYTES)]);
    ciphers.cipher(name, key).encrypt(made, bound);
    assert.deepEqual(made, box);
    assert.deepEqual(ciphers.cipher(name, key).decrypt(box, bound), plain);
  });

  test(`${name}: nothing is decrypted of what is not what it was`, () => {
    const cipher = ciphers.cipher(name, key);
    for (let at = 0; at < box.length; at++) {
      const flipped = box.slice();
      flipped[at] ^= 1 << (at % 8);
      assert.equal(cipher.decrypt(flipped, bound), undefined, `byte ${at}`);
    }
    for (let size = 0; size < box.length; size++)
      assert.equal(cipher.decrypt(box.subarray(0, size), bound), undefined, `of ${size} bytes`);
    assert.equal(cipher.decrypt(box, bound.subarray(1)), undefined);
    assert.equal(
      ciphers
        .cipher(
          name,
          key.map((each) => each ^ 1),
        )
        .decrypt(box, bound),
      undefined,
    );
    const empty = new Uint8Array(NONCE_BYTES + TAG_BYTES);
    cipher.encrypt(empty, bound);
    assert.deepEqual(cipher.decrypt(empty, bound), new Uint8Array(0));
  });
}

test("keys are made as RFC 4231 says", () => {
  const key = ciphers.derive(new Uint8Array(Buffer.from("Jefe")), "what do ya want for nothing?");
  assert.deepEqual(key, hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  assert.equal(ciphers.derive(key, "x".repeat(5000)).length, KEY_BYTES);
});
