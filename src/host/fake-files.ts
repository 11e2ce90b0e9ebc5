import { HostError, type Bytes, type DirectoryEntry, type Files, type Stat } from './host.ts';

interface Node {
  readonly kind: 'file' | 'directory' | 'symlink';
  data: Bytes;
  mode: number;
  uid: number;
  gid: number;
}

/** A tree in memory. Links are kept but not followed. */
export class FakeFiles {
  readonly nodes = new Map<Bytes, Node>();
  readonly locks = new Map<Bytes, number>();

  constructor(files: Readonly<Record<Bytes, Bytes>>, directories: readonly Bytes[]) {
    this.nodes.set('/', node('directory', '', 0o755));
    for (const path of directories) this.makeAll(path);
    for (const [path, data] of Object.entries(files)) {
      this.makeAll(parent(path));
      this.nodes.set(path, node('file', data, 0o644));
    }
  }

  /** Paths of all files, with their content. */
  contents(): Record<Bytes, Bytes> {
    const files = [...this.nodes].filter(([, found]) => found.kind === 'file');
    return Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, found]) => [path, found.data]));
  }

  /** The calls of `Files`; those that change something are noted in `log`. */
  calls(log: string[]): Files {
    const note = (name: string, path: Bytes): void => void log.push(`${name}(${path})`);
    return { ...this.reading(), ...this.writing(note), ...this.naming(note) };
  }

  private reading(): Pick<
    Files,
    | 'readFile'
    | 'readFileIfExists'
    | 'readFileInRoot'
    | 'readUnit'
    | 'list'
    | 'stat'
    | 'lstat'
    | 'readlink'
    | 'realpath'
    | 'access'
    | 'fsType'
    | 'sync'
  > {
    const stat = (path: Bytes): Stat | undefined => {
      const found = this.nodes.get(path);
      return found === undefined ? undefined : statOf(found);
    };
    return {
      readFile: path => this.file(path, 'open').data,
      readFileIfExists: path => (this.nodes.has(path) ? this.file(path, 'open').data : undefined),
      readUnit: () => undefined,
      readFileInRoot: (root, path) => {
        const found = this.nodes.get(root + path);
        return found?.kind === 'file' ? { data: found.data } : 'absent';
      },
      list: path => this.list(path),
      stat,
      lstat: stat,
      readlink: path => {
        const found = this.get(path, 'readlink');
        if (found.kind !== 'symlink') throw new HostError('readlink', 'EINVAL', 22, 'invalid argument', path);
        return found.data;
      },
      realpath: path => (this.nodes.has(path) ? path : undefined),
      access: path => this.nodes.has(path),
      fsType: () => 0xef53,
      sync: () => undefined,
    };
  }

  private writing(
    note: (name: string, path: Bytes) => void,
  ): Pick<Files, 'writeFile' | 'writeFileAtomic' | 'mkdir' | 'mkdirs' | 'lock'> {
    return {
      writeFile: (path, data, mode) => {
        note('writeFile', path);
        if (mode === undefined) this.file(path, 'open').data = data;
        else this.put(path, data, mode);
      },
      writeFileAtomic: (path, data, mode) => {
        note('writeFileAtomic', path);
        this.put(path, data, mode);
      },
      mkdir: (path, mode) => {
        note('mkdir', path);
        if (this.nodes.get(path)?.kind === 'directory') return false;
        if (this.nodes.has(path)) throw new HostError('mkdir', 'EEXIST', 17, 'file exists', path);
        this.get(parent(path), 'mkdir');
        this.nodes.set(path, node('directory', '', mode));
        return true;
      },
      mkdirs: path => {
        note('mkdirs', path);
        this.makeAll(path);
      },
      lock: (path, exclusive, wait) => {
        note('lock', path);
        const holders = this.locks.get(path) ?? 0;
        if (holders > 0 && exclusive) {
          if (!wait) return undefined;
          throw new Error(`a test would wait for ever for the lock ${path}`);
        }
        this.locks.set(path, holders + 1);
        return { release: () => this.locks.set(path, (this.locks.get(path) ?? 1) - 1) };
      },
    };
  }

  private naming(
    note: (name: string, path: Bytes) => void,
  ): Pick<Files, 'symlink' | 'link' | 'rename' | 'unlink' | 'rmdir' | 'chmod' | 'chown' | 'removeTree'> {
    return {
      symlink: (target, path) => {
        note('symlink', path);
        if (this.nodes.has(path)) throw new HostError('symlink', 'EEXIST', 17, 'file exists', path);
        this.nodes.set(path, node('symlink', target, 0o777));
      },
      link: (from, to) => {
        note('link', to);
        this.nodes.set(to, this.get(from, 'link'));
      },
      rename: (from, to) => {
        note('rename', to);
        this.get(from, 'rename');
        this.removeAll(to);
        for (const path of this.below(from)) {
          this.nodes.set(to + path.slice(from.length), this.get(path, 'rename'));
          this.nodes.delete(path);
        }
      },
      unlink: path => {
        note('unlink', path);
        return this.nodes.delete(path);
      },
      rmdir: path => {
        note('rmdir', path);
        if (this.below(path).length > 1) throw new HostError('rmdir', 'ENOTEMPTY', 39, 'directory not empty', path);
        return this.nodes.delete(path);
      },
      chmod: (path, mode) => {
        note('chmod', path);
        this.get(path, 'chmod').mode = mode;
      },
      chown: (path, uid, gid) => {
        note('chown', path);
        Object.assign(this.get(path, 'chown'), { uid, gid });
      },
      removeTree: path => {
        note('removeTree', path);
        return this.removeAll(path);
      },
    };
  }

  private get(path: Bytes, syscall: string): Node {
    const found = this.nodes.get(path);
    if (found === undefined) throw new HostError(syscall, 'ENOENT', 2, 'no such file or directory', path);
    return found;
  }

  private file(path: Bytes, syscall: string): Node {
    const found = this.get(path, syscall);
    if (found.kind === 'directory') throw new HostError('read', 'EISDIR', 21, 'is a directory', path);
    return found;
  }

  private put(path: Bytes, data: Bytes, mode: number): void {
    this.get(parent(path), 'open');
    this.nodes.set(path, node('file', data, mode));
  }

  private list(path: Bytes): DirectoryEntry[] {
    this.get(path, 'open');
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes]
      .filter(([name]) => name !== '/' && name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
      .map(([name, found]) => ({ name: name.slice(prefix.length), kind: found.kind }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private below(path: Bytes): Bytes[] {
    return [...this.nodes.keys()].filter(name => name === path || name.startsWith(`${path}/`));
  }

  private removeAll(path: Bytes): boolean {
    const names = this.below(path);
    for (const name of names) this.nodes.delete(name);
    return names.length > 0;
  }

  private makeAll(path: Bytes): void {
    if (path === '/' || path === '' || this.nodes.has(path)) return;
    this.makeAll(parent(path));
    this.nodes.set(path, node('directory', '', 0o755));
  }
}

function node(kind: Node['kind'], data: Bytes, mode: number): Node {
  return { kind, data, mode, uid: 0, gid: 0 };
}

function parent(path: Bytes): Bytes {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function statOf(found: Node): Stat {
  const { kind, mode, uid, gid, data } = found;
  return {
    kind,
    mode,
    uid,
    gid,
    size: data.length,
    device: 1,
    inode: 1,
    rdevMajor: 0,
    rdevMinor: 0,
    links: 1,
    mtime: 0,
  };
}
