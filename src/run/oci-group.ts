import { HostError, type Host } from '../host/host.ts';
import { outerUid } from '../host/outer-uid.ts';
import { enableControllers, removeGroup, writeLimit, type Limit } from './cgroup.ts';
import { unifiedPath } from './cgroup-path.ts';
import { Failure } from './failure.ts';
import type { Parts } from './parts.ts';
import type { Undo } from './undo.ts';

const ROOT = '/sys/fs/cgroup';

/** The container's group by `linux.cgroupsPath` as a path of the tree (`/machine/x`); made before the clone. Empty: none was asked for. */
export function makeFileGroup(host: Host, path: string | undefined, limits: readonly Limit[], undo: Undo): string {
  if (path === undefined || path === '') return '';
  const full = `/${path
    .split('/')
    .filter(part => part !== '' && part !== '.' && part !== '..')
    .join('/')}`;
  let parent = ROOT;
  for (const part of full.slice(1).split('/')) {
    enableControllers(host, parent, limits);
    parent += `/${part}`;
    if (host.mkdir(parent, 0o755)) {
      const made = parent;
      undo.add(made, () => removeGroup(host, made));
    }
  }
  for (const limit of limits) writeLimit(host, parent, limit);
  return full;
}

/** `SLICE:PREFIX:NAME` of --systemd-cgroup. */
export interface ScopeName {
  readonly slice: string;
  readonly scope: string;
}

export function parseScopeName(path: string | undefined, id: string): ScopeName {
  const parts = (path ?? '').split(':');
  if (path === undefined || path === '') return { slice: '', scope: `berth-${id}.scope` };
  const [slice = '', prefix = '', name = ''] = parts;
  if (parts.length !== 3 || name === '') {
    throw new Failure(1, `linux.cgroupsPath ${path}: with --systemd-cgroup it is SLICE:PREFIX:NAME`);
  }
  if (name.endsWith('.slice')) throw new Failure(1, `linux.cgroupsPath ${path}: a container cannot be a slice`);
  return { slice, scope: prefix === '' ? `${name}.scope` : `${prefix}-${name}.scope` };
}

/**
 * A scope of systemd for a process that waits; it is moved to `container/` below, where the limits are, since the scope's own
 * attributes are systemd's to write. The group's path.
 */
export function makeScopeGroup(
  host: Host,
  parts: Parts,
  pid: number,
  request: { path: string | undefined; id: string; limits: readonly Limit[] },
): { scope: string; cgroup: string } {
  const { slice, scope } = parseScopeName(request.path, request.id);
  const link = parts.systemd.linkTo(host, outerUid(host) === 0 ? 'system' : 'user');
  const wish = { description: `berth container ${request.id}`, pids: [pid] };
  try {
    const arrive = link.beginScope(scope, slice === '' ? wish : { ...wish, slice });
    arrive();
  } finally {
    link.close();
  }
  const own = unifiedPath(host.readFile(`/proc/${pid}/cgroup`)) ?? '';
  const group = `${ROOT}${own}`;
  try {
    host.mkdir(`${group}/container`, 0o755);
    host.writeFile(`${group}/container/cgroup.procs`, String(pid));
  } catch (error) {
    if (error instanceof HostError) throw new Failure(1, `${scope}: its group cannot be divided: ${error.message}`);
    throw error;
  }
  enableControllers(host, group, request.limits);
  for (const limit of request.limits) writeLimit(host, `${group}/container`, limit);
  return { scope, cgroup: `${own}/container` };
}
