import type { Host, Stat } from '../host/host.ts';

/**
 * What a writable layer changes of the layers below it (`lower`, the lowest first): `A PATH`, `C PATH` or `D PATH` and a NUL, which no name holds.
 * A directory comes before what is in it.
 */
export function changesOf(host: Host, upper: string, lower: readonly string[]): string[] {
  const changes: string[] = [];
  const layers = new Layers(host);
  // `alone`: nothing of the layers below shines through.
  const walk = (path: string, below: readonly string[], alone: boolean): void => {
    const names = new Set<string>();
    for (const { name } of host.list(`${upper}${path}`)) {
      const inner = `${path}/${name}`;
      const stat = host.lstat(`${upper}${inner}`);
      if (stat === undefined) continue;
      names.add(name);
      const before = layers.at(below, name);
      changes.push(`${isWhiteout(stat) ? 'D' : before.exists ? 'C' : 'A'} ${inner}\0`);
      if (stat.kind === 'directory') walk(inner, before.directories, alone || layers.isOpaque(`${upper}${path}`, name));
    }
    if (!alone) return;
    for (const name of new Set(below.flatMap(directory => host.list(directory).map(one => one.name))))
      if (!names.has(name) && layers.at(below, name).exists) changes.push(`D ${path}/${name}\0`);
  };
  walk('', [...lower].reverse(), false);
  return changes;
}

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
