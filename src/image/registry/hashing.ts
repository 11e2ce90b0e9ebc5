import { createHash, type Hash } from 'node:crypto';
import { digestAlgorithm, digestHex } from '../digest.ts';
import type { Digest } from '../types.ts';
import { RegistryError } from './error.ts';

/** The hash that a digest asks for. */
export function hashFor(digest: Digest): Hash {
  return createHash(digestAlgorithm(digest));
}

/** Throws `bad-digest` when what came is not what the digest says. */
export function checkDigest(hash: Hash, digest: Digest, what: string): void {
  const found = hash.digest('hex');
  if (found === digestHex(digest)) return;
  throw new RegistryError(
    'bad-digest',
    `${what}: what came has the digest ${found.slice(0, 12)}..., not ${digestHex(digest).slice(0, 12)}...`,
  );
}

/** sha256 of bytes. */
export function digestOf(bytes: Buffer): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}
