/**
 * From /proc/PID/cgroup to the unit of systemd that owns a process, by the rules of systemd's own
 * `cg_path_get_unit` (man org.freedesktop.systemd1, src/basic/cgroup-util.c): slices are stepped over, the first
 * service or scope is the unit; below user@UID.service the same again for the user manager.
 */
export interface UnitOfCgroup {
  /** `web.service`; empty when the path names none. */
  readonly unit: string;
  readonly manager: 'system' | 'user' | '';
  /** Path of the unit's own group below /sys/fs/cgroup; starts with `/`. */
  readonly path: string;
  /** What follows the unit's group: `supervisor`, `.control`, or empty. */
  readonly below: string;
}

/** The path of the line `0::PATH`, the unified hierarchy; undefined when there is none (a host without cgroup2). */
export function unifiedPath(text: string): string | undefined {
  for (const line of text.split('\n')) if (line.startsWith('0::')) return line.slice(3);
  return undefined;
}

/** The innermost unit that a cgroup path names. */
export function unitOfPath(path: string): UnitOfCgroup {
  const parts = path.split('/').filter(part => part !== '');
  const system = firstUnit(parts, 0);
  if (system === undefined) return { unit: '', manager: '', path, below: '' };
  const user = isUserManager(unescaped(parts[system] ?? '')) ? firstUnit(parts, system + 1) : undefined;
  const index = user ?? system;
  return {
    unit: unescaped(parts[index] ?? ''),
    manager: user === undefined ? 'system' : 'user',
    path: '/' + parts.slice(0, index + 1).join('/'),
    below: parts.slice(index + 1).join('/'),
  };
}

function firstUnit(parts: readonly string[], from: number): number | undefined {
  for (let index = from; index < parts.length; index++) {
    const part = unescaped(parts[index] ?? '');
    if (part.endsWith('.slice')) continue;
    return /\.(service|scope|socket|mount|swap)$/.test(part) ? index : undefined;
  }
  return undefined;
}

function isUserManager(unit: string): boolean {
  return unit.startsWith('user@') && unit.endsWith('.service');
}

/** systemd puts `_` before a name that would collide with a file of the kernel. */
function unescaped(part: string): string {
  return part.startsWith('_') ? part.slice(1) : part;
}
