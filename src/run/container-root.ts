import { CLONE, type Host, type Launched } from '../host/host.ts';
import { flatMap, type FlatMap } from '../image/layer-calls.ts';
import { layerDirectory, readImage } from '../image/images.ts';
import { encodeOps } from '../ops/encode.ts';
import { idMapText } from '../ops/mounts.ts';
import type { Op } from '../ops/ops.ts';
import { openPayload, type Container } from './containers.ts';
import { awaitSync, type Heard } from './dialogue.ts';
import { Failure } from './failure.ts';
import { writeIdMaps } from './ids.ts';
import { layerFor, outerOf, storeMaps } from './mapped-layers.ts';
import type { ContainerState } from './state.ts';

/** The root of a container's file system, for those who read or write files there. */
export interface ContainerRoot {
  /** Descriptor (O_PATH) of the root: with all that is mounted in it when the container runs, its own file system otherwise. */
  readonly fd: number;
  /** The ids that its files have. */
  readonly map: FlatMap;
}

type Known = Container & { readonly state: ContainerState };

const O_PATH_DIRECTORY = 0o10200000;

/** Opens the root, runs `body`, closes it. Of a container that does not run, layer and image are mounted meanwhile, seen by nobody else. */
export function withRoot<T>(host: Host, store: string, container: Known, body: (root: ContainerRoot) => T): T {
  const { state } = container;
  const map = mapOf(state);
  const payload = openPayload(host, state);
  if (payload === undefined) return withMounted(host, store, container, fd => body({ fd, map }));
  let fd = -1;
  try {
    fd = host.open(`/proc/${state.pid}/root/.`, O_PATH_DIRECTORY);
    // The number may have gone to another process since: then this is not our root.
    if (host.poll([payload], 0).length > 0) throw new Failure(125, `${state.name}: the container has just ended`);
    return body({ fd, map });
  } finally {
    if (fd >= 0) host.close(fd);
    host.close(payload);
  }
}

function mapOf({ uidMap, gidMap }: ContainerState): FlatMap {
  const lines = (map: ContainerState['uidMap']): { inside: number; outside: number; count: number }[] =>
    map.map(([inside, outside, count]) => ({ inside, outside, count }));
  const single = uidMap.length === 1 && gidMap.length === 1 && uidMap[0]?.[2] === 1 && gidMap[0]?.[2] === 1;
  const kind = uidMap.length === 0 ? 'host' : single ? 'single' : 'subordinate';
  return flatMap({ kind, uid: lines(uidMap), gid: lines(gidMap) });
}

/** A stage in a mount namespace of its own makes the root, sends it, and waits until we are done. */
function withMounted<T>(host: Host, store: string, { state }: Known, body: (fd: number) => T): T {
  // Root mounts layers through the map; an account works with the ids of its store, by which it owns them all.
  const user = host.euid !== 0;
  const ops: Op[] = [
    ...(user ? [{ name: 'become-root', fields: [] } as const] : []),
    { name: 'propagation', fields: ['/', 'rprivate'] },
    ...overlayOf(host, store, state),
    { name: 'send-fd', fields: ['root', 'root'] },
    { name: 'sync', fields: ['ready'] },
  ];
  const stage = host.launch({
    namespaces: CLONE.NEWNS | (user ? CLONE.NEWUSER : 0),
    sibling: false,
    ops: encodeOps(ops),
    stdio: ['null', 'null', 'inherit'],
    descriptors: [],
  });
  try {
    if (user) {
      const { uidMap, gidMap } = outerOf(host, state) === undefined ? state : storeMaps(host);
      writeIdMaps(host, stage.pid, uidMap, gidMap);
      host.proceed(stage, 'ids');
    }
    const heard: Heard = { fds: new Map(), pid: 0 };
    awaitSync(host, stage, 'ready', heard);
    const fd = heard.fds.get('root');
    if (fd === undefined) throw new Failure(125, `${state.name}: the stage sent no root`);
    try {
      return body(fd);
    } finally {
      host.close(fd);
    }
  } finally {
    end(host, stage);
  }
}

function overlayOf(host: Host, store: string, state: ContainerState): Op[] {
  const image = state.imageId === '' ? undefined : readImage(host, store, state.imageId);
  if (image === undefined)
    throw new Failure(125, `${state.name}: does not run, and its image ${state.image} is not in the store`);
  const lower = [...image.layers].reverse().map(layer => layerFor(host, layerDirectory(store, layer), state));
  const writable = state.layer === '' ? ['', ''] : [`${state.layer}/upper`, `${state.layer}/work`];
  const overlay: Op = {
    name: 'root-overlay',
    fields: [...writable, host.euid === 0 ? '' : 'userxattr', '', ...lower],
  };
  const outer = host.euid === 0 ? outerOf(host, state) : undefined;
  if (outer === undefined) return [overlay];
  const mapped = lower.map((path): Op => ({ name: 'id-map-at', fields: [path, '0'] }));
  return [{ name: 'id-map', fields: [idMapText(outer.uid, outer.gid)] }, ...mapped, overlay];
}

function end(host: Host, stage: Launched): void {
  host.close(stage.control);
  host.close(stage.status);
  host.signal(stage.pidfd, 9);
  host.wait(stage);
  host.close(stage.pidfd);
}
