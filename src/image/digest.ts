import type { Digest } from './types.ts';

/**
 * Reads a digest: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits. Anything else is undefined: a digest
 * is a value, never a part of a path from outside (T19).
 */
export function parseDigest(text: unknown): Digest | undefined {
  if (typeof text !== 'string') return undefined;
  const digits = LENGTHS.get(text.slice(0, 7));
  if (digits === undefined || text.length !== 7 + digits || !isHex(text, 7)) return undefined;
  return text as Digest;
}

/** Hexadecimal digits of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(7);
}

/** `sha256` or `sha512`. */
export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512') ? 'sha512' : 'sha256';
}

/** A digest as one component of a path: `sha256-HEX`. */
export function digestName(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}

/** Lower-case hexadecimal digits from `start` to the end, at least one. */
export function isHex(text: string, start = 0): boolean {
  return HEX.test(start === 0 ? text : text.slice(start));
}

const HEX = /^[0-9a-f]+$/;

const LENGTHS = new Map([
  ['sha256:', 64],
  ['sha512:', 128],
]);
