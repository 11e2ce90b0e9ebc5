import { createHash } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, openSync, statSync, unlinkSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Host } from '../../host/host.ts';
import { findLayer } from '../additional.ts';
import { runLayer } from '../archive/program.ts';
import { digestName, parseDigest } from '../digest.ts';
import { ImageError } from '../error.ts';
import type { Digest } from '../types.ts';

/** A layer as a file, as it leaves the store. */
export interface LayerFile {
  readonly path: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  remove(): void;
}

/**
 * The layer's tar stream as it came, put together again in a file below `work`; its digest is compared with the layer's. Throws
 * ImageError for a layer that has no recipe or is broken.
 */
export async function layerFile(host: Host, store: string, diffId: Digest, work: string): Promise<LayerFile> {
  const directory = findLayer(host, store, diffId)?.directory;
  if (directory === undefined)
    throw new ImageError(`layer ${diffId.slice(0, 19)}: it is missing; pull or load the image again`);
  if (host.lstat(`${directory}/recipe`) === undefined)
    throw new ImageError(
      `layer ${diffId.slice(0, 19)}: it was stored without its recipe; pull or load the image again`,
    );
  const path = `${work}/${digestName(diffId)}.tar`;
  const fd = openSync(Buffer.from(path, 'latin1'), 'wx', 0o600);
  try {
    await runLayer(['assemble', `source=${directory}`], { stdout: fd });
  } finally {
    closeSync(fd);
  }
  const file = await described(path, diffId.startsWith('sha512') ? 'sha512' : 'sha256');
  if (file.digest === diffId) return file;
  file.remove();
  throw new ImageError(
    `layer ${diffId.slice(0, 19)}: its files are not what its digest says; berth system check --repair`,
  );
}

/** The same, compressed. */
export async function gzipped(plain: LayerFile): Promise<LayerFile> {
  const path = `${plain.path}.gz`;
  await pipeline(
    createReadStream(Buffer.from(plain.path, 'latin1')),
    createGzip({ level: 6 }),
    createWriteStream(Buffer.from(path, 'latin1'), { mode: 0o600 }),
  );
  plain.remove();
  return described(path, 'sha256');
}

async function described(path: string, algorithm: 'sha256' | 'sha512'): Promise<LayerFile> {
  const name = Buffer.from(path, 'latin1');
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(name, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const digest = parseDigest(`${algorithm}:${hash.digest('hex')}`);
  if (digest === undefined) throw new Error('a digest of another form');
  return { path, digest, size: statSync(name).size, remove: () => unlinkSync(name) };
}
