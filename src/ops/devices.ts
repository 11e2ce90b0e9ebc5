import type { Spec } from '../plan/spec.ts';
import { op } from './encode.ts';
import type { Op } from './ops.ts';

/**
 * Nodes and links of /dev: those of config.json, and those that a runtime supplies
 * (https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config-linux.md#default-devices). None when /dev itself
 * is a directory of the host.
 */
export function deviceOps(spec: Spec, devIsBound: boolean): Op[] {
  if (devIsBound) return [];
  const mounted = new Set((spec.mounts ?? []).map(mount => mount.destination));
  const ops: Op[] = [];
  const made = new Set<string>();
  for (const device of spec.linux.devices ?? []) {
    made.add(device.path);
    if (mounted.has(device.path)) continue;
    const kind = device.type === 'u' ? 'c' : device.type;
    const mode = (device.fileMode ?? 0o666) & 0o7777;
    ops.push(node(device.path, kind, device.major ?? 0, device.minor ?? 0, mode, device.uid ?? 0, device.gid ?? 0));
  }
  for (const [name, major, minor] of DEFAULTS) {
    const path = `/dev/${name}`;
    if (!made.has(path) && !mounted.has(path)) ops.push(node(path, 'c', major, minor, 0o666, 0, 0));
  }
  for (const [text, path] of LINKS) if (!mounted.has(path)) ops.push(op('symlink', text, path));
  return ops;
}

const DEFAULTS: readonly (readonly [string, number, number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];

const LINKS: readonly (readonly [string, string])[] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['/proc/kcore', '/dev/core'],
  ['pts/ptmx', '/dev/ptmx'],
];

function node(path: string, kind: string, major: number, minor: number, mode: number, uid: number, gid: number): Op {
  return op('device', path, kind, major, minor, mode.toString(8), uid, gid);
}
