import { nativeText } from './native-text.ts';

/**
 * FNV-1a of the text's UTF-8, 64 bits as 16 hexadecimal digits: tells whether a text changed, and nothing that an attacker could
 * gain from. In C (native/host-text.c) for the generator, which hashes every service of a boot.
 */
export const hashOf: (text: string) => string = nativeText.textHash ?? hashInScript;

/** The same answer without the native program; a test compares the two. */
export function hashInScript(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) hash = step(hash, 0xc0 | (code >> 6));
    hash = step(hash, code < 0x80 ? code : 0x80 | (code & 0x3f));
  }
  return hash.toString(16).padStart(16, '0');
}

/** Of a byte string: characters from U+0000 to U+00FF. */
function step(hash: bigint, byte: number): bigint {
  return BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
}
