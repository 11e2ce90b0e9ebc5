import { once } from 'node:events';
import { closeSync, constants, createReadStream, lstatSync, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ImageError } from '../error.ts';

/**
 * Puts a layer's tar stream together again from the files it became and the headers that containers-storage keeps
 * (https://github.com/vbatts/tar-split: lines of JSON, compressed), and writes it to a stream. Whether it is the right one is
 * told by its digest, which the reader compares.
 */
export async function assembleTarSplit(split: string, tree: string, target: Writable): Promise<void> {
  const directories = new Set(['']);
  const lines = createInterface({
    input: createReadStream(Buffer.from(split, 'latin1')).pipe(createGunzip()),
    crlfDelay: Infinity,
  });
  for await (const line of lines) {
    const entry = JSON.parse(line) as Entry;
    if (entry.type === SEGMENT) await write(target, Buffer.from(entry.payload ?? '', 'base64'));
    else if (entry.type === FILE && (entry.size ?? 0) > 0)
      await copyFile(tree, nameOf(entry), entry.size ?? 0, target, directories);
  }
}

const FILE = 1;
const SEGMENT = 2;

interface Entry {
  readonly type: number;
  readonly name?: string;
  /** base64, for a name that is not UTF-8. */
  readonly name_raw?: string;
  readonly size?: number;
  /** base64: the bytes of a segment, a file's checksum. */
  readonly payload?: string | null;
}

/** Components of the name, as byte strings. */
function nameOf(entry: Entry): string[] {
  const bytes = entry.name_raw === undefined ? Buffer.from(entry.name ?? '') : Buffer.from(entry.name_raw, 'base64');
  return bytes
    .toString('latin1')
    .split('/')
    .filter(part => part !== '' && part !== '.');
}

const CHUNK = 1 << 18;

/** No component may be a link: what is read lies in the layer. */
async function copyFile(
  tree: string,
  parts: readonly string[],
  size: number,
  target: Writable,
  directories: Set<string>,
): Promise<void> {
  if (parts.length === 0 || parts.includes('..')) throw new ImageError('a name leads out of the layer');
  requireDirectories(tree, parts.slice(0, -1).join('/'), directories);
  const path = `${tree}/${parts.join('/')}`;
  const fd = openSync(Buffer.from(path, 'latin1'), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = size; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const read = readSync(fd, chunk, 0, chunk.length, null);
      if (read === 0) throw new ImageError(`${parts.join('/')} is shorter than it was`);
      await write(target, chunk.subarray(0, read));
      left -= read;
    }
  } finally {
    closeSync(fd);
  }
}

function requireDirectories(tree: string, path: string, known: Set<string>): void {
  if (known.has(path)) return;
  requireDirectories(tree, path.slice(0, Math.max(0, path.lastIndexOf('/'))), known);
  if (!lstatSync(Buffer.from(`${tree}/${path}`, 'latin1')).isDirectory())
    throw new ImageError(`${path} is no directory any more`);
  known.add(path);
}

async function write(target: Writable, bytes: Buffer): Promise<void> {
  if (!target.write(bytes)) await once(target, 'drain');
}
