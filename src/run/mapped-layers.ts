import { hashOf } from '../base/hash.ts';
import { HostError, type Host } from '../host/host.ts';
import { storeMap } from '../image/store-map.ts';
import { idMapText } from '../ops/mounts.ts';
import { relative } from '../plan/id-maps.ts';
import type { SpecIdMapping } from '../plan/spec.ts';
import type { Plan } from '../plan/types.ts';
import { Failure } from './failure.ts';
import type { IdMap } from './ids.ts';
import { temporaryPath } from './layer.ts';
import { playMapped } from './mapped.ts';

/*
 * Theory of operation. An account's layers belong to its store's ids. A container with another map needs them with other owners, and the
 * kernel lets only root mount them so: the account copies them, once for each layer and map, to LAYER/mapped-HASH, which goes
 * with the layer. One child reads the layer with the store's ids and writes it as a tar stream, another unpacks that with the map.
 */

/** `from/fs` as `to/fs`, for a map that leads to the store's ids. */
export interface LayerCopy {
  readonly from: string;
  readonly to: string;
  readonly outer: NonNullable<Plan['outer']>;
  readonly uidMap: IdMap;
  readonly gidMap: IdMap;
}

/** The maps of the store; empty for root. */
export function storeMaps(host: Host): { uidMap: IdMap; gidMap: IdMap } {
  const { uid, gid } = storeMap(host);
  const lines = (map: typeof uid): IdMap => map.map(({ inside, outside, count }) => [inside, outside, count]);
  return { uidMap: lines(uid), gidMap: lines(gid) };
}

/** A layer as a container with these maps has it: its own directory, or the copy that an account made for that map. */
export function layerFor(host: Host, directory: string, maps: { uidMap: IdMap; gidMap: IdMap }): string {
  const outer = host.euid === 0 ? undefined : outerOf(host, maps);
  return outer === undefined ? `${directory}/fs` : `${directory}/${keyOf(outer)}/fs`;
}

/** Maps to host ids as maps to the store's ids; undefined when they are those of the store. */
export function outerOf(
  host: Host,
  { uidMap, gidMap }: { uidMap: IdMap; gidMap: IdMap },
): LayerCopy['outer'] | undefined {
  const store = storeMaps(host);
  const lines = (map: IdMap): SpecIdMapping[] =>
    map.map(([containerID, hostID, size]) => ({ containerID, hostID, size }));
  const inside = (map: IdMap, base: IdMap): SpecIdMapping[] =>
    host.euid === 0 ? lines(map) : (relative(lines(map), lines(base)) ?? []);
  const outer = { uid: inside(uidMap, store.uidMap), gid: inside(gidMap, store.gidMap) };
  return [...outer.uid, ...outer.gid].every(line => line.containerID === line.hostID) ? undefined : outer;
}

const keyOf = (outer: LayerCopy['outer']): string => `mapped-${hashOf(idMapText(outer.uid, outer.gid))}`;

/** The plan with the copies of its layers that it needs. */
export function withCopies(host: Host, store: string, plan: Plan): { plan: Plan; copies: LayerCopy[] } {
  const { outer, root, spec } = plan;
  if (outer === undefined || host.euid === 0) return { plan, copies: [] };
  const lower = root.kind === 'overlay' ? root.lower.filter(path => path.endsWith('/fs')) : [];
  const key = keyOf(outer);
  const { uidMappings = [], gidMappings = [] } = spec.linux;
  const lines = (map: typeof uidMappings): IdMap => map.map(line => [line.containerID, line.hostID, line.size]);
  const [uidMap, gidMap] = [lines(uidMappings), lines(gidMappings)];
  const copies = [...new Set([...lower, ...plan.mountedLayers])].map(path => {
    const from = path.slice(0, -'/fs'.length);
    // A layer of an additional store is not ours to write to.
    const to = `${store}/layers/${from.slice(from.lastIndexOf('/') + 1)}/${key}`;
    return { from, to, outer, uidMap, gidMap };
  });
  const names = new Map(copies.map(copy => [`${copy.from}/fs`, `${copy.to}/fs`]));
  const renamed = (path: string): string => names.get(path) ?? path;
  const option = (word: string): string =>
    word.startsWith('lowerdir=') ? `lowerdir=${word.slice(9).split(':').map(renamed).join(':')}` : word;
  const mounts = (spec.mounts ?? []).map(mount => {
    if (mount.type === 'overlay') return { ...mount, options: (mount.options ?? []).map(option) };
    return mount.source === undefined ? mount : { ...mount, source: renamed(mount.source) };
  });
  const own = root.kind === 'overlay' ? { ...root, lower: root.lower.map(renamed) } : root;
  return { plan: { ...plan, root: own, spec: { ...spec, mounts } }, copies };
}

/** Makes the copies that are not there yet; each appears by a rename. */
export function makeCopies(host: Host, store: string, copies: readonly LayerCopy[]): void {
  const missing = copies.filter(copy => host.lstat(copy.to) === undefined);
  for (const [index, copy] of missing.entries()) {
    // As long as the layers come one after the other, systemd waits.
    host.notify(
      `STATUS=Copying layer ${index + 1} of ${missing.length} for the user namespace\nEXTEND_TIMEOUT_USEC=600000000`,
      false,
    );
    makeCopy(host, store, copy);
  }
  if (missing.length > 0) host.notify('STATUS=', false);
}

function makeCopy(host: Host, store: string, copy: LayerCopy): void {
  const temporary = temporaryPath(host, store);
  const maps = storeMaps(host);
  host.mkdir(temporary, 0o700);
  host.mkdir(`${temporary}/fs`, 0o755);
  try {
    // The unpacker's root must own what it shuts itself into; only root of all ids can give it away.
    const root = (map: LayerCopy['outer']['uid']): string =>
      String(map.find(line => line.containerID === 0)?.hostID ?? 0);
    const owner = [root(copy.outer.uid), root(copy.outer.gid)];
    const ops = [{ name: 'chown-tree', fields: [`${temporary}/fs`, ...owner] } as const];
    if (playMapped(host, ops, maps.uidMap, maps.gidMap) !== 0)
      throw new Failure(125, `${temporary}: it cannot be given to the container's root`);
    transfer(host, `${copy.from}/fs`, `${temporary}/fs`, copy);
    host.mkdirs(copy.to.slice(0, copy.to.lastIndexOf('/')), 0o700);
    host.rename(temporary, copy.to);
  } catch (error) {
    playMapped(host, [{ name: 'remove-tree', fields: [temporary] }], maps.uidMap, maps.gidMap);
    // Another start was faster.
    if (!(error instanceof HostError) || host.lstat(copy.to) === undefined) throw error;
  }
}

function transfer(host: Host, from: string, to: string, { uidMap, gidMap }: LayerCopy): void {
  const program = host.readlink('/proc/self/exe');
  const text = (map: IdMap): string => map.map(line => line.join(':')).join(',');
  const [read, write] = host.pipe();
  let reader;
  try {
    reader = host.spawn({ argv: [program, 'layer', 'read-mapped', `source=${from}`], stdout: write });
  } finally {
    host.close(write);
  }
  try {
    const words = [`target=${to}`, `uid=${text(uidMap)}`, `gid=${text(gidMap)}`];
    const end = host.run({
      argv: [program, 'layer', 'write-mapped', ...words],
      input: read,
      stdout: 'capture',
      stderr: 'capture',
    });
    if (end.status === 0) return;
    const line = end.stderr.split('\n')[0]?.replace(/^berth: (layer: )?/, '') ?? '';
    throw new Failure(125, `the image cannot be copied for this user namespace: ${line}`);
  } finally {
    host.close(read);
    // A stream that was cut off is refused by the other end.
    host.wait(reader);
    host.close(reader.pidfd);
  }
}
