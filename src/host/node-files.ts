import * as fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { call, callUnless, fromBuffer, toBuffer } from './node-errors.ts';
import { lockFile } from './node-lock.ts';
import {
  HostError,
  type Bytes,
  type DirectoryEntry,
  type FileKind,
  type Files,
  type Kernel,
  type Lock,
  type Stat,
} from './host.ts';

/** `Files` with Node's synchronous functions; paths are passed as bytes. */
export function filesOfNode(): Files & Pick<Kernel, 'open' | 'fchown'> {
  return { ...READING, ...WRITING, ...NAMES };
}

const ABSENT = ['ENOENT', 'ENOTDIR'];
const DEFAULT_LIMIT = 64 << 20;

const READING = {
  readFile: (path: Bytes, limit = DEFAULT_LIMIT): Bytes => read(path, limit),
  readFileIfExists: (path: Bytes, limit = DEFAULT_LIMIT): Bytes | undefined =>
    callUnless(path, ABSENT, undefined, () => read(path, limit)),
  readUnit: (): undefined => undefined,
  readFileInRoot: (_root: Bytes, path: Bytes, _limit: number): never => lacks('openat2', path),
  list(path: Bytes): DirectoryEntry[] {
    const entries = call(path, () => fs.readdirSync(toBuffer(path), { withFileTypes: true, encoding: 'buffer' }));
    const named = entries.map(entry => ({ name: fromBuffer(entry.name), kind: kindOf(entry) }));
    return named.sort((a, b) => (a.name < b.name ? -1 : 1));
  },
  stat: (path: Bytes): Stat | undefined =>
    callUnless(path, ABSENT, undefined, () => statOf(fs.statSync(toBuffer(path)))),
  lstat: (path: Bytes): Stat | undefined =>
    callUnless(path, ABSENT, undefined, () => statOf(fs.lstatSync(toBuffer(path)))),
  readlink: (path: Bytes): Bytes => call(path, () => fromBuffer(fs.readlinkSync(toBuffer(path), 'buffer'))),
  realpath: (path: Bytes): Bytes | undefined =>
    callUnless(path, [...ABSENT, 'ELOOP'], undefined, () =>
      fromBuffer(fs.realpathSync.native(toBuffer(path), 'buffer')),
    ),
  access: (path: Bytes, mode: number): boolean =>
    callUnless(path, [...ABSENT, 'EACCES', 'EROFS', 'ELOOP', 'EPERM'], false, () => {
      fs.accessSync(toBuffer(path), mode);
      return true;
    }),
  fsType: (path: Bytes): number => call(path, () => fs.statfsSync(toBuffer(path)).type),
};

const WRITING = {
  writeFileAtomic(path: Bytes, data: Bytes, mode: number): void {
    const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : './';
    const temporary = toBuffer(`${directory}.berth-${randomBytes(8).toString('hex')}`);
    call(path, () => {
      try {
        const fd = fs.openSync(temporary, 'wx', 0o600);
        closing(fd, () => {
          fs.writeFileSync(fd, toBuffer(data));
          fs.fchmodSync(fd, mode);
          fs.fsyncSync(fd);
        });
        fs.renameSync(temporary, toBuffer(path));
      } catch (error) {
        fs.rmSync(temporary, { force: true });
        throw error;
      }
    });
    WRITING.sync(directory);
  },
  writeFile: (path: Bytes, data: Bytes, mode?: number): void =>
    call(path, () => {
      const { O_WRONLY, O_TRUNC, O_CREAT } = fs.constants;
      const fd = fs.openSync(toBuffer(path), O_WRONLY | O_TRUNC | (mode === undefined ? 0 : O_CREAT), mode);
      closing(fd, () => fs.writeFileSync(fd, toBuffer(data)));
    }),
  mkdir: (path: Bytes, mode: number): boolean =>
    callUnless(path, ['EEXIST'], false, () => {
      fs.mkdirSync(toBuffer(path), { mode });
      return true;
    }) || isDirectory(path),
  mkdirs: (path: Bytes, mode: number): void => {
    call(path, () => fs.mkdirSync(toBuffer(path), { mode, recursive: true }));
  },
  sync: (path: Bytes): void =>
    call(path, () => {
      const fd = fs.openSync(toBuffer(path), 'r');
      closing(fd, () => fs.fsyncSync(fd));
    }),
  lock: (path: Bytes, exclusive: boolean, wait: boolean): Lock | undefined => lockFile(path, exclusive, wait),
  open: (path: Bytes, flags: number): number => call(path, () => fs.openSync(toBuffer(path), flags)),
  fchown: (fd: number, uid: number, gid: number): void => call('', () => fs.fchownSync(fd, uid, gid)),
};

const NAMES = {
  symlink: (target: Bytes, path: Bytes): void => call(path, () => fs.symlinkSync(toBuffer(target), toBuffer(path))),
  link: (from: Bytes, to: Bytes): void => call(to, () => fs.linkSync(toBuffer(from), toBuffer(to))),
  rename: (from: Bytes, to: Bytes): void => call(to, () => fs.renameSync(toBuffer(from), toBuffer(to))),
  unlink: (path: Bytes): boolean => removed(path, () => fs.unlinkSync(toBuffer(path))),
  rmdir: (path: Bytes): boolean => removed(path, () => fs.rmdirSync(toBuffer(path))),
  chmod: (path: Bytes, mode: number): void => call(path, () => fs.chmodSync(toBuffer(path), mode)),
  chown: (path: Bytes, uid: number, gid: number): void => call(path, () => fs.lchownSync(toBuffer(path), uid, gid)),
  /** Node would walk by path; rm(1) walks by directory descriptors and follows no link (T20). */
  removeTree(path: Bytes): boolean {
    if (READING.lstat(path) === undefined) return false;
    const done = spawnSync('rm', ['-rf', '--one-file-system', '--', toBuffer(path).toString('utf8')], {
      encoding: 'utf8',
    });
    if (done.status === 0) return true;
    throw new HostError('unlinkat', 'EPERM', 1, `cannot be removed: ${done.stderr.split('\n')[0] ?? ''}`, path);
  },
};

function read(path: Bytes, limit: number): Bytes {
  return call(path, () => {
    const fd = fs.openSync(toBuffer(path), 'r');
    return closing(fd, () => {
      const parts: Buffer[] = [];
      for (let total = 0; ;) {
        const part = Buffer.allocUnsafe(Math.min(Math.max(fs.fstatSync(fd).size - total + 1, 4096), 1 << 20));
        const got = fs.readSync(fd, part);
        if (got === 0) return fromBuffer(Buffer.concat(parts));
        total += got;
        if (total > limit) throw tooBig(path);
        parts.push(part.subarray(0, got));
      }
    });
  });
}

function tooBig(path: Bytes): HostError {
  return new HostError('read', 'EFBIG', 27, 'file too large', path);
}

function closing<T>(fd: number, run: () => T): T {
  try {
    return run();
  } finally {
    fs.closeSync(fd);
  }
}

function removed(path: Bytes, run: () => void): boolean {
  return callUnless(path, ABSENT, false, () => {
    run();
    return true;
  });
}

/** False, the answer of mkdir for a directory that exists; throws when it is something else. */
function isDirectory(path: Bytes): false {
  if (READING.stat(path)?.kind === 'directory') return false;
  throw new HostError('mkdir', 'EEXIST', 17, 'file exists', path);
}

type Kinds = Pick<
  fs.Stats,
  'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isBlockDevice' | 'isCharacterDevice' | 'isFIFO'
>;

function kindOf(of: Kinds): FileKind {
  if (of.isFile()) return 'file';
  if (of.isDirectory()) return 'directory';
  if (of.isSymbolicLink()) return 'symlink';
  if (of.isBlockDevice()) return 'block';
  if (of.isCharacterDevice()) return 'char';
  return of.isFIFO() ? 'fifo' : 'socket';
}

function statOf(stats: fs.Stats): Stat {
  return {
    kind: kindOf(stats),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: stats.size,
    device: stats.dev,
    inode: stats.ino,
    // makedev(3) of glibc: minor in bits 0-7 and 20-31, major in bits 8-19 (and above 2^32, which no device has here).
    rdevMajor: (stats.rdev >>> 8) & 0xfff,
    rdevMinor: (stats.rdev & 0xff) | ((stats.rdev >>> 12) & 0xfff00),
    links: stats.nlink,
    mtime: stats.mtimeMs / 1000,
  };
}

function lacks(syscall: string, path: Bytes): never {
  throw new HostError(syscall, 'ENOSYS', 38, `${syscall} is not available in the Node half of Berth`, path);
}
