import { version } from '../base/version.ts';
import type { Host, Lock } from '../host/host.ts';
import { BUILT_IN_PROFILES, builtInProfile } from '../plan/built-in-seccomp.ts';
import { specText } from '../plan/spec-text.ts';
import { takeLayer } from './again.ts';
import { makeBundle } from './bundle.ts';
import { makePayloadGroup, type PayloadGroup } from './cgroup.ts';
import { listenForConsole } from './foreign-terminal.ts';
import { foreignSpec } from './foreign.ts';
import { mapOf } from './begin.ts';
import { bootId, layerPath, makeLayer, removeStored, type LayerNote } from './layer.ts';
import { makeLogFile } from './log-file.ts';
import { makeCopies, storeMaps } from './mapped-layers.ts';
import { makeMountPoints } from './mount-points.ts';
import type { Parts } from './parts.ts';
import type { StartPlace } from './place.ts';
import type { Prepared } from './prepare.ts';
import type { Undo } from './undo.ts';

/** What a start has put on disk and into the control group tree. */
export interface Made {
  readonly group?: PayloadGroup;
  /** The notification socket that the payload writes to. */
  readonly notify?: number;
  /** Another runtime's terminal comes here (foreign-terminal.ts). */
  readonly console?: number;
  /** Until the container is listed as the user of its volumes. */
  readonly locks: readonly Lock[];
}

/** Makes volumes, writable layer, bundle and notification socket; each is taken back by `undo`. `remove`: --rm was given. */
export function make(
  host: Host,
  parts: Parts,
  prepared: Prepared,
  place: StartPlace,
  undo: Undo,
  remove: boolean,
): Made {
  const { layer, plan } = prepared;
  const own = layerPath(place.store, place.name);
  // Nothing has run in it when it is taken back: all of it is ours, or was just given away.
  const { uidMap, gidMap } = plan.outer === undefined ? { uidMap: [], gidMap: [] } : storeMaps(host);
  const note = noteOf(host, prepared, remove);
  if (place.again === true) takeLayer(host, place.store, place.name, note, layer !== '');
  else {
    undo.add(own, () => removeStored(host, place.store, own, uidMap, gidMap));
    makeLayer(host, place.store, place.name, note, layer !== '');
  }
  if (prepared.logFile !== undefined) makeLogFile(host, prepared.logFile);
  makeCopies(host, place.store, prepared.copies);
  if (prepared.mountPoints !== undefined) makeMountPoints(host, place.store, prepared.mountPoints);
  const locks = parts.volumes.create(host, place.store, prepared.volumes, undo);
  makeBundle(
    host,
    place.runtime,
    place.name,
    {
      config: configText(host, writtenPlan(plan, place)),
      marker: markerOf(prepared, place),
      files: plan.outside ? [...plan.files, ...NETWORK_FILES] : plan.files,
    },
    undo,
  );
  if (place.foreign !== '' && plan.root.kind === 'overlay') host.mkdir(`${place.bundle}/rootfs`, 0o755);
  if (place.foreign !== '') host.mkdir(`${place.bundle}/shm`, 0o755);
  for (const path of plan.directories) {
    host.mkdirs(path, 0o700);
    undo.add(path, () => host.removeTree(path));
  }
  showSources(host, prepared);
  return {
    locks,
    ...(place.notifySocket ? { notify: host.bindUnix(`${place.bundle}/notify`, 'datagram', 0o666) } : {}),
    ...(place.console === '' ? {} : { console: listenForConsole(host, place.bundle) }),
  };
}

/** The directory that changes of an overlay go to stands for its source: it has the mode of that, and of root's the owner. */
function showSources(host: Host, { plan }: Prepared): void {
  for (const { type, options = [] } of plan.spec.mounts ?? []) {
    const valueOf = (key: string): string =>
      options.find(word => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    const upper = valueOf('upperdir');
    if (type !== 'overlay' || !plan.directories.includes(upper)) continue;
    const source = host.stat(valueOf('lowerdir').split(':')[0] ?? '');
    if (source === undefined) continue;
    if (host.euid === 0 && plan.outer === undefined) host.chown(upper, source.uid, source.gid);
    host.chmod(upper, source.mode);
  }
}

/** The stage opens them before the network writes into them. */
const NETWORK_FILES = ['hosts', 'hostname', 'resolv.conf'].map(name => ({ name, text: '' }));

/** The payload's control group with its limits, and `stage` in it where it is there already; undefined where none are made. */
export function makeGroup(
  host: Host,
  prepared: Prepared,
  place: StartPlace,
  undo: Undo,
  stage?: number,
): PayloadGroup | undefined {
  if (place.unitPath === '') return undefined;
  const request = { unitPath: place.unitPath, ownPath: place.context.cgroup, limits: prepared.plan.cgroup };
  return makePayloadGroup(host, stage === undefined ? request : { ...request, stage }, undo);
}

function writtenPlan(plan: Prepared['plan'], place: StartPlace): Prepared['plan'] {
  return place.foreign === '' ? plan : { ...plan, spec: foreignSpec(plan, place.bundle) };
}

/** The evaluated default seccomp profiles, installed beside the program; see packaging/build/seccomp.ts. */
const SECCOMP_TEXTS = '/usr/lib/berth';

/** config.json for any OCI runtime: a profile whose program is built in is written out. */
function configText(host: Host, plan: Prepared['plan']): string {
  if (!plan.defaultSeccomp) return specText(plan, undefined);
  const number = builtInProfile(plan.spec.process?.capabilities?.bounding ?? []) ?? 0;
  return specText(plan, host.readFileIfExists(`${SECCOMP_TEXTS}/${BUILT_IN_PROFILES[number]?.file ?? ''}`, 1 << 20));
}

/** With another map than the store's, some files are of the container and some of the store: all are the store's to remove. */
function noteOf(host: Host, prepared: Prepared, remove: boolean): LayerNote {
  const { outer, spec } = prepared.plan;
  const { uidMappings, gidMappings } = spec.linux;
  const boot = bootId(host);
  return {
    version: 1,
    ...(outer === undefined ? { uidMap: mapOf(uidMappings), gidMap: mapOf(gidMappings) } : storeMaps(host)),
    anonymousVolumes: prepared.volumes.anonymous,
    ...(boot === undefined ? {} : { boot }),
    remove,
  };
}

/** /run/.containerenv by which programs notice that they run in a container; podman-run(1) has the same lines. */
function markerOf(prepared: Prepared, place: StartPlace): string {
  const line = (key: string, value: string): string => `${key}="${value.replace(/["\\\n]/g, '')}"\n`;
  return [
    line('engine', `berth-${version()}`),
    line('name', place.name),
    line('id', place.id),
    line('imageid', prepared.image?.id ?? ''),
  ].join('');
}
