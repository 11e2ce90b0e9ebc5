import { HostError, type Host, type Stat } from '../host/host.ts';

/** O_PATH, O_DIRECTORY, O_NOFOLLOW. */
const ITSELF = 0o10600000;

/**
 * What a writable layer changes of the layers below it (`lower`, the lowest first): `A PATH`, `C PATH` or `D PATH` and a NUL, which no name holds.
 * A directory comes before what is in it. The layer may be a living container's, which may put a link in the place of a directory at any
 * moment: each is entered from the one above by its descriptor, and what is no directory by then is not entered.
 */
export function changesOf(host: Host, upper: string, lower: readonly string[]): string[] {
  const changes: string[] = [];
  const layers = new Layers(host);
  // `alone`: nothing of the layers below shines through.
  const walk = (fd: number, path: string, below: readonly string[], alone: boolean): void => {
    const names = new Set<string>();
    const own = `/proc/self/fd/${fd}`;
    for (const { name } of host.list(own)) {
      const inner = `${path}/${name}`;
      const stat = host.lstat(`${own}/${name}`);
      if (stat === undefined) continue;
      names.add(name);
      const before = layers.at(below, name);
      changes.push(`${isWhiteout(stat) ? 'D' : before.exists ? 'C' : 'A'} ${inner}\0`);
      if (stat.kind === 'directory')
        inside(host, `${own}/${name}`, at => walk(at, inner, before.directories, alone || layers.isOpaque(own, name)));
    }
    if (!alone) return;
    for (const name of new Set(below.flatMap(directory => host.list(directory).map(one => one.name))))
      if (!names.has(name) && layers.at(below, name).exists) changes.push(`D ${path}/${name}\0`);
  };
  inside(host, upper, fd => walk(fd, '', [...lower].reverse(), false));
  return changes;
}

/** Not when it is gone, or another thing. */
function inside(host: Host, path: string, run: (fd: number) => void): void {
  let fd: number;
  try {
    fd = host.open(path, ITSELF);
  } catch (error) {
    if (error instanceof HostError && GONE.includes(error.code)) return;
    throw error;
  }
  try {
    run(fd);
  } finally {
    host.close(fd);
  }
}

const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP'];

const isWhiteout = (stat: Stat): boolean => stat.kind === 'char' && stat.rdevMajor === 0 && stat.rdevMinor === 0;

/** Directories of an overlay, merged as the kernel does it; the topmost first. */
class Layers {
  readonly #host: Host;
  /** A name that nobody has. */
  readonly #none: string;

  constructor(host: Host) {
    this.#host = host;
    this.#none = `.berth-${host.random(8)}`;
  }

  /** What they show under this name; something that is no directory hides what is below it. */
  at(directories: readonly string[], name: string): { exists: boolean; directories: string[] } {
    const merged: string[] = [];
    for (const directory of directories) {
      const stat = this.#host.lstat(`${directory}/${name}`);
      if (stat === undefined) continue;
      if (stat.kind !== 'directory') return { exists: merged.length > 0 || !isWhiteout(stat), directories: merged };
      merged.push(`${directory}/${name}`);
      if (this.isOpaque(directory, name)) break;
    }
    return { exists: merged.length > 0, directories: merged };
  }

  isOpaque(directory: string, name: string): boolean {
    return this.#host.readFileInRoot(directory, `${name}/${this.#none}`, 0) === 'whiteout';
  }
}
