import { mountsInside, refuse, type IdPlan, type PlanContext } from './context.ts';
import type { MountOptions, MountRequest } from './request.ts';
import { refuseBindWords, withIdMap, withinOf } from './mount-source.ts';
import type { SpecMount } from './spec.ts';
import { tmpfsOptions } from './parse-tmpfs.ts';
import { planLabels, planRelabel } from './security.ts';
import type { VolumeFacts } from './types.ts';

/** What mounts come to, in the order of the request. */
export interface MountPlan {
  readonly mounts: SpecMount[];
  /** The ids are filled in when the user is known. */
  readonly copyUps: {
    readonly path: string;
    readonly target: string;
    readonly unowned: boolean;
    readonly record: string;
  }[];
  /** Sources to chown; the ids are filled in when the user is known. */
  readonly chowns: { readonly path: string; readonly within?: string }[];
  readonly relabels: { readonly path: string; readonly label: string }[];
  readonly directories: string[];
  /** Of images. */
  readonly layers: string[];
}

/** Files below /proc that lxcfs and the like may replace (as in runc); anything else there would hide what confinement rests on (T9). */
const PROC_FILES = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime'];

/** One mount of the request. `key` names the volume in the facts when it is not the request's own name. */
export function planMount(context: PlanContext, ids: IdPlan, mount: MountRequest, plan: MountPlan, key?: string): void {
  if (!mayMountOn(mount)) {
    refuse(context, '--volume', `${mount.target}: a mount there would hide what the confinement rests on`);
    return;
  }
  switch (mount.kind) {
    case 'bind':
      return planBind(context, ids, mount, plan);
    case 'volume':
      return planVolume(context, ids, mount, plan, key);
    case 'image': {
      const facts = context.facts.volumes[`image:${mount.source}`];
      if (facts !== undefined) return planLayers(context, ids, mount, facts, plan);
      refuse(context, '--mount', `${mount.target}: no image ${mount.source}`);
      return;
    }
    case 'tmpfs':
      plan.mounts.push({
        destination: mount.target,
        type: 'tmpfs',
        source: 'tmpfs',
        options: tmpfsOptions(mount.options, mount.copyUp),
      });
      return;
    case 'ramfs':
    case 'devpts':
      plan.mounts.push({
        destination: mount.target,
        type: mount.kind,
        source: mount.kind,
        options: [...mount.options.flags, mount.options.readOnly ? 'ro' : 'rw', 'rprivate', 'nosuid', 'nodev'],
      });
      return;
    default:
      refuse(
        context,
        '--mount',
        `--mount type=${mount.kind}: not in this version of Berth`,
        'use bind, volume, image or tmpfs',
      );
  }
}

function mayMountOn({ kind, target }: MountRequest): boolean {
  if (target === '/proc' || target === '/sys') return false;
  if (!target.startsWith('/proc/')) return true;
  return kind === 'bind' && PROC_FILES.includes(target.slice(6));
}

type Bind = Extract<MountRequest, { kind: 'bind' }>;
type Volume = Extract<MountRequest, { kind: 'volume' }>;
type Layers = Exclude<Extract<MountRequest, { source: string }>, { kind: 'bind' }>;

function planBind(context: PlanContext, ids: IdPlan, mount: Bind, plan: MountPlan): void {
  if (context.facts.sources[mount.source] === undefined) {
    refuse(
      context,
      '--volume',
      `${mount.source}: there is no such file or directory to mount on ${mount.target}`,
      'make it first',
    );
    return;
  }
  const options = bindOptions(context, mount.options, []);
  finish(context, ids, mount.source, mount.target, mount.options, options, plan);
}

function planVolume(context: PlanContext, ids: IdPlan, mount: Volume, plan: MountPlan, key?: string): void {
  const name = key ?? (mount.source === '' ? `anonymous:${mount.target}` : `volume:${mount.source}`);
  const volume = context.facts.volumes[name];
  if (volume === undefined) {
    refuse(context, '--volume', `${mount.target}: the volume ${mount.source} was not made`);
    return;
  }
  const { subpath } = mount;
  if (subpath !== undefined && volume.fresh && volume.covered !== true) {
    refuse(context, '--mount', `${mount.target}: subpath ${subpath} is not in the new volume ${mount.source}`);
    return;
  }
  if (volume.lower !== undefined) return planLayers(context, ids, mount, volume, plan);
  if (volume.tmpfs !== undefined) {
    refuseBindWords(context, mount, "an account's volume of type tmpfs");
    if (subpath !== undefined) refuse(context, '--mount', `${mount.target}: subpath ${subpath} is not in a new tmpfs`);
    const { flags, readOnly, propagation = 'rprivate' } = mount.options;
    const words = tmpfsOptions([...volume.tmpfs, ...flags, ...(readOnly ? ['ro'] : [])], false);
    const options = words.map(word => (word === 'rprivate' ? propagation : word));
    plan.mounts.push({ destination: mount.target, type: 'tmpfs', source: 'tmpfs', options });
    return;
  }
  const copies = volume.fresh && mount.options.copy && subpath === undefined;
  const unowned = volume.unowned === true;
  // Nothing to copy: another start may just be filling it, or was killed when it had.
  if (copies || unowned || volume.record !== undefined) {
    const { path, record = '' } = volume;
    plan.copyUps.push({ path, target: copies ? mount.target : '', unowned, record });
  }
  const flags = [...(volume.words ?? []).filter(word => FLAGS.has(word)), ...mount.options.flags];
  const readOnly = mount.options.readOnly || (volume.words ?? []).includes('ro');
  const wanted = { ...mount.options, flags, readOnly };
  // A new one is for every container, as in Podman.
  if (unowned && wanted.relabel === undefined) plan.relabels.push(...planRelabel(context, volume.path, 'shared'));
  const options = bindOptions(context, wanted, ['nosuid', 'nodev']);
  finish(context, ids, volume.path, mount.target, wanted, options, plan, subpath);
}

/** Words of a mounted directory that a mount of the volume keeps. */
const FLAGS = new Set(['nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec', 'noatime', 'relatime', 'strictatime']);

/** The file system of an image; what is written over it is kept in the volume, or with `rw` until the container goes. */
function planLayers(
  context: PlanContext,
  ids: IdPlan,
  mount: Layers,
  { lower = [], writable }: VolumeFacts,
  plan: MountPlan,
): void {
  if (context.foreign) refuse(context, '--mount', `${mount.target}: an image is mounted by the built-in runtime alone`);
  refuseBindWords(context, mount, 'what is mounted of an image');
  const { readOnly, writes = writable !== undefined, flags, propagation } = mount.options;
  plan.layers.push(...lower);
  // overlayfs wants two directories below when there is none above; a bind keeps the labels of the store.
  const labelled = lower.length === 1 && planLabels(context).mount !== undefined;
  const below = mount.subpath === undefined ? {} : { subpath: mount.subpath };
  if (writable === undefined && lower.length === 1 && !writes && !labelled) {
    const words = [propagation ?? 'rprivate', 'nosuid', 'nodev', ...flags, 'ro', 'bind'];
    plan.mounts.push({ destination: mount.target, type: 'bind', source: lower[0] ?? '', options: words, ...below });
    return;
  }
  const kept = writable === undefined ? [] : [`upperdir=${writable}/upper`, `workdir=${writable}/work`];
  const above = writable === undefined && (writes || labelled) ? ownLayer(context, mount.target, plan) : kept;
  const words = [propagation ?? 'private', 'nosuid', 'nodev', ...flags, readOnly || !writes ? 'ro' : 'rw'];
  const options = [`lowerdir=${lower.join(':')}`, ...above, ...words];
  if (mountsInside(context, ids)) options.push('userxattr');
  plan.mounts.push({ destination: mount.target, type: 'overlay', source: 'overlay', options, ...below });
}

/**
 * The words of a bind. For root without a user namespace a device node in a directory would open the device, which Podman's device
 * cgroup forbids; `nodev` is our way, `dev` asks for it by name.
 */
function bindOptions(context: PlanContext, options: MountOptions, defaults: readonly string[]): string[] {
  const { flags } = options;
  const words = [...flags, options.readOnly ? 'ro' : 'rw', options.propagation ?? 'rprivate'];
  const wanted = context.facts.uid === 0 && !context.request.privileged ? [...defaults, 'nodev'] : defaults;
  for (const word of new Set(wanted)) if (!flags.includes(word) && !flags.includes(word.slice(2))) words.push(word);
  words.push(options.recursive ? 'rbind' : 'bind');
  return words;
}

function finish(
  context: PlanContext,
  ids: IdPlan,
  source: string,
  destination: string,
  options: MountOptions,
  words: string[],
  plan: MountPlan,
  subpath?: string,
): void {
  if (options.relabel !== undefined) plan.relabels.push(...planRelabel(context, source, options.relabel));
  const within = withinOf(context, source);
  if (options.chown && subpath === undefined) plan.chowns.push({ path: source, ...within });
  if (subpath !== undefined && (options.chown || options.overlay || context.foreign)) {
    refuse(context, '--mount', `${destination}: subpath goes with neither U nor O nor another runtime`);
  }
  if (within.within !== undefined && context.foreign)
    refuse(
      context,
      '--volume',
      `${destination}: another runtime would follow links that the container can make in ${within.within}`,
      'use the built-in runtime, or mount that one read-only',
    );
  if (options.overlay) {
    if (within.within !== undefined)
      refuse(context, '--volume', `${destination}: no O of a part of ${within.within}, which the container may change`);
    return planOverlay(context, ids, source, destination, plan);
  }
  const mount: SpecMount = { destination, type: 'bind', source, options: words, ...within };
  if (subpath !== undefined) mount.subpath = subpath;
  const { idmap } = options;
  plan.mounts.push(idmap === undefined ? mount : withIdMap(context, ids, mount, idmap));
}

/** `:O`: the source stays as it is, changes go to a directory that is removed with the container. */
function planOverlay(context: PlanContext, ids: IdPlan, source: string, destination: string, plan: MountPlan): void {
  const options = [`lowerdir=${source}`, ...ownLayer(context, destination, plan), 'private', 'nodev'];
  if (mountsInside(context, ids)) options.push('userxattr');
  plan.mounts.push({ destination, type: 'overlay', source: 'overlay', options });
}

/** Options of an overlay whose changes go with the container. */
function ownLayer(context: PlanContext, destination: string, plan: MountPlan): string[] {
  const { layer } = context.facts;
  const place = `${layer}/overlay-${plan.directories.length / 2}`;
  if (layer === '') refuse(context, '--volume', `${destination}: an overlay needs a container with a writable layer`);
  else plan.directories.push(`${place}-upper`, `${place}-work`);
  return [`upperdir=${place}-upper`, `workdir=${place}-work`];
}
