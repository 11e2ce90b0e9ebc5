/**
 * Theory of operation. A container whose root is nobody to the host (root's with a user namespace of its own; an account's that leaves the
 * account out) cannot reach directories that are closed to others, and cannot mount layers through an id map. So the stage first works
 * outside of that user namespace, in a mount namespace of its own: it makes the root, fills and gives away volumes, and takes every source
 * of a mount, all of it detached. Then it makes (or joins) the user namespace and the others below it, and attaches what it has.
 */
import { toHost } from '../plan/id-maps.ts';
import type { Plan } from '../plan/types.ts';
import { op } from './encode.ts';
import { chownOp, idMapOps, idMapText, mountOps } from './mounts.ts';
import type { Op } from './ops.ts';

/** What is done outside, and what takes the place of the mounts inside. */
export interface Outside {
  readonly before: readonly Op[];
  readonly inside: readonly Op[];
  /** The maps as `nest` wants them. */
  readonly maps: string;
}

type OutsideInput = Pick<
  Plan,
  'spec' | 'root' | 'copyUps' | 'chowns' | 'relabels' | 'directories' | 'mountedLayers' | 'outer'
>;

/** undefined for a plan that needs none of it. `propagation`: what makes our mounts invisible to the host. */
export function outsideOps(
  plan: OutsideInput,
  bundle: string,
  propagation: readonly Op[],
  { asRoot, shm }: { readonly asRoot: boolean; readonly shm?: number | undefined },
): Outside | undefined {
  const { spec, root, outer } = plan;
  if (outer === undefined) return undefined;
  const maps = idMapText(outer.uid, outer.gid);
  // Each once: a second map over the first would be refused. An account's layers are copies that fit.
  const rootPaths = root.kind === 'overlay' ? root.lower : [root.path];
  const lower = new Set([...(root.idMapped ? rootPaths : []), ...(asRoot ? plan.mountedLayers : [])]);
  const layers = lower.size > 0 ? [op('id-map', maps)] : [];
  const mounts = mountOps(spec, bundle, { before: layers.length, shm });
  const owner = (uid: number, gid: number): [number, number] => [idOf(outer.uid, uid), idOf(outer.gid, gid)];
  const own = [...(root.kind === 'overlay' && root.upper !== '' ? [root.upper] : []), ...plan.directories];
  const given = new Set(plan.chowns.map(one => one.path));
  own.push(...filesOf(spec, bundle, asRoot ? [] : WRITTEN).filter(path => !given.has(path)));
  const before: Op[] = [
    ...propagation,
    ...layers,
    ...idMapOps(spec),
    ...[...lower].map(path => op('id-map-at', path, '0')),
    ...own.map(path => op('chown-tree', path, ...owner(0, 0))),
    rootOp(root),
    op('check-root', '/dev', '/proc', '/sys'),
  ];
  for (const { path, target, uid, gid, record } of plan.copyUps)
    before.push(op('copy-up', path, target, ...(uid < 0 ? [uid, gid] : owner(uid, gid)), record));
  for (const one of plan.chowns) before.push(chownOp(one, ...owner(one.uid, one.gid)));
  for (const { path, label } of plan.relabels) before.push(op('label-tree', path, label));
  const inside: Op[] = [op('root-attach')];
  let kept = 0;
  for (const mount of mounts) {
    const [keep, target] = keepOp(mount);
    if (keep === undefined) {
      inside.push(mount);
      continue;
    }
    before.push(keep);
    inside.push(op('attach', kept++, target, 'point'));
  }
  return { before, inside, maps };
}

/** An account still writes these when the network is there. */
const WRITTEN = ['hosts', 'hostname', 'resolv.conf'];

/** /etc/passwd, /etc/hosts and the like: the kept user must not be able to change them. */
function filesOf({ mounts = [] }: Plan['spec'], bundle: string, except: readonly string[]): string[] {
  const without = ['notify', 'shm', ...except].map(name => `${bundle}/${name}`);
  return mounts
    .map(({ source = '' }) => source)
    .filter(source => source.startsWith(`${bundle}/`) && !without.includes(source));
}

function idOf(map: NonNullable<Plan['outer']>['uid'], id: number): number {
  const found = toHost(map, id);
  if (found === undefined) throw new RangeError(`id ${id} is not in the map of the user namespace`);
  return found;
}

function rootOp(root: Plan['root']): Op {
  if (root.kind === 'directory') return op('root-bind', root.path, 'r,detached');
  const flags = [...(root.userxattr ? ['userxattr'] : []), ...(root.volatile ? ['volatile'] : []), 'detached'];
  return op('root-overlay', root.upper, root.work, flags.join(','), root.context, ...root.lower);
}

/** The part of a mount that needs the host's paths, and its target; undefined for what is made inside. */
function keepOp({ name, fields }: Op): [Op | undefined, string] {
  const [first = '', second = '', third = '', fourth = '', fifth = '', sixth = ''] = fields;
  if (name === 'bind') return [op('keep', first, '', '', withoutPoint(third), fourth), second];
  if (name === 'bind-below') return [op('keep', first, second, third, withoutPoint(fifth), sixth), fourth];
  if ((name === 'mount' || name === 'mount-below') && first === 'overlay')
    return [op('keep-mount', first, second, withoutPoint(fourth), fifth, sixth), third];
  return [undefined, ''];
}

const withoutPoint = (flags: string): string =>
  flags
    .split(',')
    .filter(word => word !== 'point')
    .join(',');
