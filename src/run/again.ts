import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { Failure } from './failure.ts';
import { layerPath, readNote, removeStored, type LayerNote } from './layer.ts';

/**
 * How a container of `run -d` without --rm is started again after its end: systemd forgets a transient unit, so what the unit was made of
 * lies beside the writable layer, as do the variables that came from the environment. The new unit has the same command line, with a
 * mark at the id: then the start takes over the layer and the anonymous volumes, instead of removing what it finds.
 */
export interface Way {
  readonly version: 1;
  /** As it was when the unit was made: its command line has it. */
  readonly name: string;
  readonly unit: string;
  /** Of org.freedesktop.systemd1(5): name, signature, value; texts are byte strings. */
  readonly properties: readonly (readonly [string, string, unknown])[];
  /** Runs before the container does. */
  readonly pod?: string;
  /** Of --volumes-from, as found at the first start of the container with this id. */
  readonly mounts?: { readonly id: string; readonly mounts: RunRequest['mounts'] };
}

export function writeWay(host: Host, store: string, way: Way): void {
  const directory = layerPath(store, way.name);
  // It may be gone: somebody who was quick has removed it.
  if (host.lstat(directory) !== undefined) host.writeFileAtomic(`${directory}/unit.json`, JSON.stringify(way), 0o600);
}

/** undefined: nothing is known, so it cannot be started again. */
export function readWay(host: Host, store: string, name: string): Way | undefined {
  const text = host.readFileIfExists(`${layerPath(store, name)}/unit.json`);
  if (text === undefined) return undefined;
  try {
    const way = JSON.parse(text) as Way;
    return way.version === 1 && Array.isArray(way.properties) ? way : undefined;
  } catch {
    return undefined;
  }
}

/** The layer as it was left, ready to be mounted: what overlayfs keeps beside it is made anew. */
export function takeLayer(host: Host, store: string, name: string, note: LayerNote, writable: boolean): void {
  const layer = layerPath(store, name);
  const before = readNote(host, layer);
  if (before === undefined || idsOf(before) !== idsOf(note))
    throw new Failure(125, `${name}: its files are gone or have other ids; remove it and run it anew`);
  host.writeFileAtomic(`${layer}/container.json`, JSON.stringify(note), 0o600);
  if (!writable) return;
  removeStored(host, store, `${layer}/work`, before.uidMap, before.gidMap);
  host.mkdir(`${layer}/work`, 0o700);
}

function idsOf({ uidMap, gidMap }: LayerNote): string {
  return JSON.stringify([uidMap, gidMap]);
}
