import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { HostError, type Bytes, type Lock } from './host.ts';

const FLAGS = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;

/** `Host.lock`. flock(2) is no call of Node's, but it locks an open file, which a child can do for us: flock(1) of util-linux. */
export function lockFile(path: Bytes, exclusive: boolean, wait: boolean): Lock | undefined {
  for (;;) {
    const fd = fs.openSync(Buffer.from(path, 'latin1'), FLAGS, 0o600);
    const { status, error } = spawnSync('flock', [exclusive ? '-x' : '-s', ...(wait ? [] : ['-n']), '3'], {
      stdio: ['ignore', 'ignore', 'inherit', fd],
    });
    if (status === 0 && isStill(fd, path)) return { release: () => fs.closeSync(fd) };
    fs.closeSync(fd);
    if (status === 0) continue;
    if (status === 1 && !wait) return undefined;
    const why = error?.message ?? `flock ended with ${String(status)}`;
    throw new HostError('flock', 'ENOLCK', 37, `cannot be locked: ${why}`, path);
  }
}

/** Whoever had the lock may have removed the file with what it was for: then the lock that counts is another file's. */
export function isStill(fd: number, path: Bytes): boolean {
  const locked = fs.fstatSync(fd);
  const named = fs.lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false });
  return named?.ino === locked.ino && named.dev === locked.dev;
}
