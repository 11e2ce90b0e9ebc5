import { readlinkSync } from 'node:fs';
import type { Bytes, Host } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/host/node.ts';

export interface RootedOptions {
  readonly root: Bytes;
  readonly argv: readonly Bytes[];
  readonly environment: Readonly<Record<Bytes, Bytes>>;
  readonly uid: number;
}

/** A host whose file system is a directory of this machine; what is printed is collected. */
export function rootedHost({
  root,
  argv,
  environment,
  uid,
}: RootedOptions): Host & { printed: { out: Bytes; err: Bytes } } {
  const real = nodeHost();
  const printed = { out: '', err: '' };
  const at = (path: Bytes): Bytes => (path === '/dev/null' ? path : `${root}${path}`);
  const host: Partial<Host> = {
    argv,
    pid: 42,
    uid,
    gid: uid,
    euid: uid,
    environment: name => environment[name],
    list: path => real.list(at(path)),
    stat: path => real.stat(at(path)),
    lstat: path => real.lstat(at(path)),
    readlink: path => readlinkSync(at(path), 'latin1'),
    realpath: path => {
      const found = real.realpath(at(path));
      return found?.startsWith(root) === true ? found.slice(root.length) || '/' : found;
    },
    split: () => undefined,
    readUnit: path => real.readUnit(at(path)),
    readFile: (path, limit) => real.readFile(at(path), limit),
    readFileIfExists: (path, limit) => real.readFileIfExists(at(path), limit),
    writeFile: (path, data, mode) => real.writeFile(at(path), data, mode),
    rename: (from, to) => real.rename(at(from), at(to)),
    mkdirs: (path, mode) => real.mkdirs(at(path), mode),
    symlink: (target, path) => real.symlink(target, at(path)),
    unlink: path => real.unlink(at(path)),
    write: (fd, data) => {
      if (fd === 1) printed.out += data;
      else printed.err += data;
    },
  };
  return { ...host, printed } as Host & { printed: { out: Bytes; err: Bytes } };
}
