import { nativeText } from './native-text.ts';

/**
 * FNV-1a of the text's UTF-8, 64 bits as 16 hexadecimal digits: tells whether a text changed, and nothing that an attacker could
 * gain from. In C (native/host-text.c) for the generator, which hashes every service of a boot.
 */
export const hashOf: (text: string) => string = nativeText.textHash ?? hashInScript;

/**
 * The same answer without the native program; a test compares the two. In two halves of 32 bits: QuickJS 2025-04-26 prints
 * BigInts of 64 bits wrongly.
 */
export function hashInScript(text: string): string {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  const step = (byte: number): void => {
    // The prime is 2^40 + 0x1b3; each product stays below 2^53.
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    high = (high * 0x1b3 + Math.floor(product / 0x100000000) + ((low << 8) >>> 0)) % 0x100000000;
    low = product % 0x100000000;
  };
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) step(0xc0 | (code >> 6));
    step(code < 0x80 ? code : 0x80 | (code & 0x3f));
  }
  return [high, low].map(half => half.toString(16).padStart(8, '0')).join('');
}
