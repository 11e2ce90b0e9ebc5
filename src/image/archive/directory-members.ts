import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ImageError } from '../error.ts';
import type { BlobPlace, Members } from './types.ts';

/**
 * The files of a layout directory. Each component below the directory is opened from the one above it and no link is followed
 * (T18), so a layout cannot make us read other files of the host.
 */
export function directoryMembers(path: string): Members {
  const top = openSync(Buffer.from(path, 'latin1'), constants.O_RDONLY | constants.O_DIRECTORY);
  const opened = new Map<string, number>();
  const open = (member: string): number => {
    const known = opened.get(member);
    if (known !== undefined) return known;
    const fd = openBelow(top, member.split('/'), path);
    opened.set(member, fd);
    return fd;
  };
  const place = (member: string): BlobPlace => {
    const fd = open(member);
    return { fd, offset: 0, length: fstatSync(fd).size };
  };
  return {
    name: path,
    kind: 'directory',
    has: member => {
      try {
        open(member);
        return true;
      } catch (error) {
        if (error instanceof ImageError && error.message.endsWith(ABSENT)) return false;
        throw error;
      }
    },
    read: (member, limit) => {
      const { fd, length } = place(member);
      if (length > limit) throw new ImageError(`${path}/${member}: ${length} bytes, the limit is ${limit}`);
      const buffer = Buffer.alloc(length);
      let done = 0;
      for (let got = 1; done < length && got > 0; done += got) got = readSync(fd, buffer, done, length - done, done);
      return buffer.toString('latin1', 0, done);
    },
    place,
    close: () => {
      for (const fd of [...opened.values(), top]) closeSync(fd);
    },
  };
}

function openBelow(top: number, parts: readonly string[], path: string): number {
  let fd = top;
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const kind = last ? constants.O_NONBLOCK : constants.O_DIRECTORY;
    let next;
    try {
      next = openSync(
        Buffer.from(`/proc/self/fd/${fd}/${part}`, 'latin1'),
        constants.O_RDONLY | constants.O_NOFOLLOW | kind,
      );
    } catch (error) {
      throw new ImageError(`${path}/${parts.join('/')}: ${reason(error)}`);
    } finally {
      if (fd !== top) closeSync(fd);
    }
    fd = next;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new ImageError(`${path}/${parts.join('/')}: not a regular file`);
}

const ABSENT = 'no such file';

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  if (code === 'ENOENT') return ABSENT;
  if (code === 'ENOTDIR') return 'not a directory on the way, and links are not followed';
  return code === 'ELOOP' ? 'a link, which is not followed' : code;
}
