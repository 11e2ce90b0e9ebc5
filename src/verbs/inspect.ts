import { volumeOf } from '../run/volumes-from.ts';
import { INSPECT } from '../command/options-container.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { layerDirectory, readImage } from '../image/images.ts';
import { findImage } from '../image/resolve.ts';
import type { ImageRecord } from '../image/types.ts';
import type { Spec, SpecMount } from '../plan/spec.ts';
import { findContainer, listContainers, requireContainer, type Container } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { readHealth } from '../run/health-results.ts';
import { type ContainerState, madeAt } from '../run/state.ts';
import { rowOf, stateWord } from './container-rows.ts';
import { forEachOperand, verb } from './edge.ts';
import { configOf } from './inspect-config.ts';
import { containerSizes } from './container-sizes.ts';
import { KINDS, type Shown } from './inspect-kinds.ts';
import { hostConfigOf, runtimeOf, type Mount } from './inspect-host.ts';
import { networkSettingsOf, portsOf } from './inspect-network.ts';
import { storeOf } from './place.ts';
import { walkTemplate } from './template.ts';
import { restartPolicy, unitEnd, type UnitEnd } from './unit-end.ts';

type Found = Container & { readonly state: ContainerState };

/** `berth inspect`: the bundle and the state in the peer's shape, with the whole of both below `Berth`. */
export const main: (host: Host) => number = verb(INSPECT, (host, command) => {
  const type = lastValue(command, 'type') ?? 'all';
  const sized = isSet(command, 'size');
  if (sized && KINDS[type] !== undefined) throw notSized(type);
  if (type === 'image' || (type === 'all' && !sized && areImages(host, storeOf(host, command), command.operands))) {
    const format = lastValue(command, 'format');
    const words = format === undefined ? [] : [`--format=${format}`];
    host.exec(['/proc/self/exe', 'image', 'inspect', ...words, '--', ...command.operands], host.environmentList());
  }
  if (type !== 'container' && type !== 'all' && KINDS[type] === undefined)
    throw new Failure(125, `--type ${type}: use container, ${Object.keys(KINDS).join(', ')} or all`);
  const format = lastValue(command, 'format') ?? 'json';
  const shown: Shown[] = [];
  const status = forEachOperand(host, command.operands, word => {
    shown.push(lookUp(host, storeOf(host, command), type, word, sized));
    return 0;
  });
  if (format === 'json') host.write(1, `${JSON.stringify(shown, undefined, 4)}\n`);
  else host.write(1, shown.map(one => `${walkTemplate(host, format, one)}\n`).join(''));
  return status;
});

function lookUp(host: Host, store: string, type: string, word: string, sized: boolean): Shown {
  const isContainer = type === 'container' || (type === 'all' && containerOf(host, word));
  if (isContainer) return inspected(host, store, requireContainer(host, word), sized);
  for (const [kind, look] of Object.entries(KINDS)) {
    const found = type === kind || type === 'all' ? look(host, store, word) : undefined;
    if (found !== undefined && sized) throw notSized(kind);
    if (found !== undefined) return found;
  }
  throw new Failure(125, `${word}: no such ${type === 'all' ? `container, ${Object.keys(KINDS).join(', ')}` : type}`);
}

function notSized(kind: string): Failure {
  return new Failure(125, `--size is for containers, not for ${kind}s`);
}

/** As the peer does it: what is no container may be an image. */
function areImages(host: Host, store: string, words: readonly string[]): boolean {
  return words.every(word => !containerOf(host, word) && findImage(host, store, word) !== undefined);
}

/** Also by the name of its unit. */
function containerOf(host: Host, word: string): boolean {
  if (findContainer(host, word) !== undefined) return true;
  return listContainers(host).some(one => one.state?.unit === word || one.state?.unit === `${word}.service`);
}

function inspected(host: Host, store: string, container: Found, sized: boolean): Shown {
  const { state, bundle } = container;
  const text = host.readFileIfExists(`${bundle}/config.json`);
  const spec = text === undefined ? undefined : (JSON.parse(text) as Spec);
  const image = state.imageId === '' ? undefined : readImage(host, store, state.imageId);
  const end = unitEnd(host, state, bundle);
  const [path = '', ...args] = state.command;
  const mounts = (spec?.mounts ?? []).flatMap(mount => mountOf(mount, container));
  const network = networkSettingsOf(host, store, bundle, state);
  const file = (name: string): string => (host.stat(`${bundle}/${name}`) === undefined ? '' : `${bundle}/${name}`);
  return {
    Id: state.id,
    Created: timeOf(madeAt(state)),
    Path: path,
    Args: args,
    State: stateOf(host, container, spec, end),
    Image: state.imageId,
    ImageDigest: image?.manifest ?? '',
    ImageName: state.image,
    Rootfs: state.image === '' ? (spec?.root.path ?? '') : '',
    Pod: state.pod ?? '',
    ResolvConfPath: file('resolv.conf'),
    HostnamePath: file('hostname'),
    HostsPath: file('hosts'),
    Name: state.name,
    RestartCount: end.restarts,
    Driver: 'overlay',
    MountLabel: spec?.linux.mountLabel ?? '',
    ProcessLabel: spec?.process?.selinuxLabel ?? '',
    AppArmorProfile: spec?.process?.apparmorProfile ?? '',
    EffectiveCaps: spec?.process?.capabilities?.effective ?? [],
    BoundingCaps: spec?.process?.capabilities?.bounding ?? [],
    OCIConfigPath: `${bundle}/config.json`,
    OCIRuntime: runtimeOf(state),
    ExecIDs: [],
    Mounts: mounts,
    Dependencies: dependenciesOf(host, spec),
    Namespace: '',
    IsInfra: state.pod !== undefined && state.image === `${bundle}/rootfs`,
    IsService: false,
    GraphDriver: { Name: 'overlay', Data: layersOf(store, state, image) },
    NetworkSettings: network,
    Config: configOf(state, spec, image),
    ...(spec === undefined
      ? {}
      : {
          HostConfig: hostConfigOf({ state, spec, ports: portsOf(state), mounts, restart: restartPolicy(state, end) }),
        }),
    ...(sized ? sizesOf(host, state) : {}),
    Berth: { unit: state.unit, manager: state.manager, state, spec },
  };
}

function sizesOf(host: Host, state: ContainerState): Shown {
  const { own, whole } = containerSizes(host, state);
  return { SizeRw: own, SizeRootFs: whole };
}

/** Ids of the containers whose namespaces it joined. */
function dependenciesOf(host: Host, spec: Spec | undefined): string[] {
  const paths = (spec?.linux.namespaces ?? []).map(({ path = '' }) => path);
  const pids = new Set(paths.map(path => /^\/proc\/(\d+)\/ns\//.exec(path)?.[1]));
  pids.delete(undefined);
  if (pids.size === 0) return [];
  return listContainers(host).flatMap(({ state }) =>
    state !== undefined && pids.has(String(state.pid)) ? [state.id] : [],
  );
}

/** RFC 3339, as the peer writes a time that has not come. */
const NEVER = '0001-01-01T00:00:00Z';
const timeOf = (seconds: number): string => (seconds === 0 ? NEVER : new Date(seconds * 1000).toISOString());

function stateOf(host: Host, { state, bundle }: Found, spec: Spec | undefined, end: UnitEnd): Record<string, unknown> {
  const row = rowOf(host, state, bundle);
  const health = readHealth(host, state);
  return {
    OciVersion: spec?.ociVersion ?? '',
    Status: stateWord(row),
    Running: row.running,
    Paused: row.paused,
    Restarting: false,
    OOMKilled: end.outOfMemory,
    Dead: false,
    CheckpointedAt: NEVER,
    RestoredAt: NEVER,
    Pid: row.running ? state.pid : 0,
    // As berth-wait(1): -1 when nobody knows it any more.
    ExitCode: row.running || state.pid === 0 ? 0 : (end.status ?? -1),
    Error: '',
    StartedAt: timeOf(state.pid === 0 ? 0 : state.created),
    FinishedAt: timeOf(row.running ? 0 : end.finished),
    CgroupPath: state.cgroup,
    ...(health === undefined ? {} : { Health: health }),
  };
}

function layersOf(store: string, state: ContainerState, image: ImageRecord | undefined): Record<string, string> {
  const lower = (image?.layers ?? []).map(layer => `${layerDirectory(store, layer)}/fs`).reverse();
  if (state.layer === '') return { LowerDir: lower.join(':') };
  return { LowerDir: lower.join(':'), UpperDir: `${state.layer}/upper`, WorkDir: `${state.layer}/work` };
}

/** What the container has of others; the files that every container gets from its bundle are no news. */
function mountOf({ type, source = '', destination, options = [] }: SpecMount, { state, bundle }: Found): Mount[] {
  if (type !== 'bind' || source.startsWith(`${bundle}/`)) return [];
  const volume = volumeOf(source);
  const isVolume = [...(state.volumes ?? []), ...state.anonymousVolumes].includes(volume);
  if (!isVolume && state.mounts?.every(mount => mount.target !== destination) === true) return [];
  const propagation = options.find(option => /^r?(private|shared|slave|unbindable)$/.test(option)) ?? 'rprivate';
  return [
    {
      Type: isVolume ? 'volume' : 'bind',
      ...(isVolume ? { Name: volume, Driver: 'local' } : { Driver: '' }),
      Source: source,
      Destination: destination,
      Mode: '',
      Options: options,
      RW: !options.includes('ro'),
      Propagation: propagation,
    },
  ];
}
