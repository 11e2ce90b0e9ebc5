import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ImageError } from '../error.ts';
import { RATIO, unpackLimit } from '../unpack-limit.ts';
import { runLayer } from './program.ts';

/**
 * A descriptor of a file whose bytes are not compressed and can be read anywhere in it. A plain file is taken as it is; a stream or a
 * compressed file is unpacked into `work` first, by the confined parser of native/layer.h. `-` is standard input.
 */
export async function plainFile(input: string, name: string, work: string): Promise<number> {
  const fd = input === '-' ? 0 : open(input, name);
  if (fstatSync(fd).isFile() && !isCompressed(fd)) return fd;
  const spooled = openSync(
    `${work}/archive`,
    constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    const { size } = fstatSync(fd);
    // Of a pipe nobody knows how much will come: what has come counts.
    const limit =
      size > 0 ? [`bytes=${unpackLimit(size).most}`] : [`bytes=${unpackLimit(Infinity).most}`, `ratio=${RATIO}`];
    await runLayer(['plain', ...limit], { stdin: fd, stdout: spooled });
  } catch (error) {
    closeSync(spooled);
    throw error instanceof ImageError ? new ImageError(`${name}: ${error.message}`) : error;
  } finally {
    if (fd !== 0) closeSync(fd);
  }
  return spooled;
}

/** What `import` and `load` read: a regular file or a pipe. */
export function open(input: string, name: string): number {
  try {
    const fd = openSync(Buffer.from(input, 'latin1'), constants.O_RDONLY);
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ImageError(`${name}: ${code === 'ENOENT' ? 'no such file' : String(code)}`);
  }
  throw new ImageError(`${name}: a directory, where an archive is wanted`);
}

function isCompressed(fd: number): boolean {
  const head = Buffer.alloc(6);
  readSync(fd, head, 0, 6, 0);
  return MAGIC.some(magic => head.subarray(0, magic.length).equals(magic));
}

/** gzip, zstd, and what the parser refuses by name: xz, bzip2. */
const MAGIC = ['1f8b', '28b52ffd', 'fd377a585a00', '425a68'].map(hex => Buffer.from(hex, 'hex'));
