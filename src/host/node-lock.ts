import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { HostError, type Bytes, type Lock } from './host.ts';
import { call, toBuffer } from './node-errors.ts';

const FLAGS = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW;

/** `Host.lock`. flock(2) is no call of Node's, but it locks an open file, which a child can do for us: flock(1) of util-linux. */
export function lockFile(path: Bytes, exclusive: boolean, wait: boolean): Lock | undefined {
  for (;;) {
    const fd = openFile(path);
    const { status, error } = spawnSync('flock', wordsOf(exclusive, wait), { stdio: stdioOf(fd) });
    if (status === 1 && !wait) {
      fs.closeSync(fd);
      return undefined;
    }
    const lock = taken(path, fd, status, error);
    if (lock !== undefined) return lock;
  }
}

/** The same, waiting beside other work. */
export async function lockFileBeside(path: Bytes, exclusive: boolean): Promise<Lock> {
  for (;;) {
    const fd = openFile(path);
    const child = spawn('flock', wordsOf(exclusive, true), { stdio: stdioOf(fd) });
    const [status, error] = await new Promise<[number | null, Error?]>(resolve => {
      child.once('error', failure => resolve([null, failure]));
      child.once('exit', code => resolve([code]));
    });
    const lock = taken(path, fd, status, error);
    if (lock !== undefined) return lock;
  }
}

function openFile(path: Bytes): number {
  return call(path, () => fs.openSync(toBuffer(path), FLAGS, 0o600));
}

function wordsOf(exclusive: boolean, wait: boolean): string[] {
  return [exclusive ? '-x' : '-s', ...(wait ? [] : ['-n']), '3'];
}

function stdioOf(fd: number): ('ignore' | 'inherit' | number)[] {
  return ['ignore', 'ignore', 'inherit', fd];
}

/** undefined: what is locked is another's remains by now. */
function taken(path: Bytes, fd: number, status: number | null, error?: Error): Lock | undefined {
  if (status === 0 && isStill(fd, path)) return { release: () => fs.closeSync(fd) };
  fs.closeSync(fd);
  if (status === 0) return undefined;
  const why = error?.message ?? `flock ended with ${String(status)}`;
  throw new HostError('flock', 'ENOLCK', 37, `cannot be locked: ${why}`, path);
}

/** Whoever had the lock may have removed the file with what it was for: then the lock that counts is another file's. */
export function isStill(fd: number, path: Bytes): boolean {
  const locked = fs.fstatSync(fd);
  const named = fs.lstatSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false });
  return named?.ino === locked.ino && named.dev === locked.dev;
}
