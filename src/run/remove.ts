import { HostError, type Host } from '../host/host.ts';
import { removeGroup } from './cgroup.ts';
import type { Container } from './containers.ts';
import { sweepEarlierBoots } from './earlier-boots.ts';
import type { IdMap } from './ids.ts';
import { endInput } from './input.ts';
import { layerPath, readNote, removeStored, removeUnused, sweep } from './layer.ts';
import type { Parts, VolumesOf } from './parts.ts';

/**
 * Takes away what a container that no longer runs has left: network, control group, writable layer, anonymous volumes when asked, and
 * last the bundle, so that an interrupted removal can be repeated. Goes on after an error; the lines say what went wrong.
 *
 * A start does the same with what a crash may have left: the start path is the recovery path. `quickly`: a layer that nothing was written
 * into is out of the way when this returns, and gone soon after.
 */
export function removeContainer(
  host: Host,
  parts: Parts,
  store: string,
  container: Container,
  withVolumes: boolean,
  quickly = false,
): string[] {
  const { state } = container;
  const lines = releaseContainer(host, parts, store, container);
  const attempt = attempting(lines);
  const maps = { uidMap: state?.uidMap ?? [], gidMap: state?.gidMap ?? [] };
  const volumes = withVolumes ? { named: state?.volumes ?? [], bundle: container.bundle } : undefined;
  removeStoredParts(host, parts, store, container.name, maps, volumes, quickly, attempt, lines);
  attempt(() => removeBundle(host, store, container));
  attempt(() => lines.push(...sweepEarlierBoots(host, store, name => removeLayerOf(host, parts, store, name))));
  return lines;
}

/** Another runtime keeps its state there, as root of the container. */
export function removeBundle(host: Host, store: string, { state, bundle }: Container): void {
  removeStored(host, store, bundle, state?.uidMap ?? [], state?.gidMap ?? []);
}

/** All but the files of these names. */
export function emptyBundle(host: Host, store: string, { state, bundle }: Container, kept: readonly string[]): void {
  for (const { name } of host.list(bundle))
    if (!kept.includes(name)) removeStored(host, store, `${bundle}/${name}`, state?.uidMap ?? [], state?.gidMap ?? []);
}

/** What a container that has ended holds on the host: its network, volumes and control group. Its files stay. May be repeated. */
export function releaseContainer(host: Host, parts: Parts, store: string, { state, bundle }: Container): string[] {
  const lines: string[] = [];
  if (state === undefined) return lines;
  const attempt = attempting(lines);
  attempt(() => {
    const down = parts.network.tearDown(host, state.network);
    if (down.isErr()) lines.push(...down.error.map(problem => problem.message));
  });
  const { input } = state;
  if (input !== undefined) attempt(() => endInput(host, input));
  attempt(() => lines.push(...parts.volumes.release(host, store, state.volumes ?? [], bundle)));
  if (state.cgroup !== '') attempt(() => removeGroup(host, `/sys/fs/cgroup${state.cgroup}`));
  return lines;
}

/** Runs steps one by one; what fails becomes a line. */
function attempting(lines: string[]): (step: () => void) => void {
  return step => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof HostError) && !(error instanceof Error)) throw error;
      lines.push(error.message);
    }
  };
}

/** The part of a removal that concerns the store alone; a layer without a bundle is what a power cut leaves. */
export function removeLayerOf(host: Host, parts: Parts, store: string, name: string): string[] {
  const lines: string[] = [];
  removeStoredParts(host, parts, store, name, NO_MAPS, NO_VOLUMES, false, attempting(lines), lines);
  return lines;
}

const NO_MAPS = { uidMap: [], gidMap: [] };
const NO_VOLUMES = { named: [], bundle: '' };

function removeStoredParts(
  host: Host,
  parts: Parts,
  store: string,
  name: string,
  maps: { uidMap: IdMap; gidMap: IdMap },
  volumes: Omit<VolumesOf, 'anonymous'> | undefined,
  quickly: boolean,
  attempt: (step: () => void) => void,
  lines: string[],
): void {
  const layer = layerPath(store, name);
  if (host.lstat(layer) === undefined) return;
  const note = readNote(host, layer);
  const uidMap = note?.uidMap ?? maps.uidMap;
  const gidMap = note?.gidMap ?? maps.gidMap;
  if (volumes !== undefined && note !== undefined) {
    const of = { ...volumes, anonymous: note.anonymousVolumes };
    attempt(() => lines.push(...parts.volumes.remove(host, store, of, uidMap, gidMap)));
  }
  attempt(() => {
    if (!quickly || !removeUnused(host, store, layer)) removeStored(host, store, layer, uidMap, gidMap);
  });
  attempt(() => sweep(host, store, uidMap, gidMap));
}
