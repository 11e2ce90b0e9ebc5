import type { Host } from '../host/host.ts';
import { findImageId } from '../image/resolve.ts';
import { takeInventory, type Inventory } from '../image/collect.ts';
import { cut, splitCsv } from '../plan/parse-values.ts';
import { loadUnits } from '../quadlet/find.ts';
import { listContainers } from '../run/containers.ts';
import type { ContainerState } from '../run/state.ts';
import { search, searchDirectories } from '../unit/search.ts';
import { listVolumes } from '../volume/record.ts';

/** What the store holds, and who needs it. */
export interface UsedImages extends Inventory {
  /** Image ids that containers have, running or not. */
  readonly byContainers: ReadonlySet<string>;
  /** Image ids that unit files and volumes name, and what these names meant before: one version back. */
  readonly byUnits: ReadonlySet<string>;
}

export function usedImages(host: Host, store: string): UsedImages {
  const inventory = takeInventory(host, store);
  const byContainers = containerImages(host);
  const byUnits = new Set<string>();
  const mounted = listVolumes(host, store).flatMap(volume => volume.image ?? volume.options?.['image'] ?? []);
  for (const name of [...unitImages(host), ...mounted]) {
    const matching = name.includes('%') ? matchTemplate(inventory, name) : idOf(host, store, name);
    for (const id of matching) byUnits.add(id);
  }
  for (const [reference, id] of inventory.previous) {
    const now = [...inventory.names].find(([, names]) => names.includes(reference))?.[0];
    if (now !== undefined && byUnits.has(now)) byUnits.add(id);
  }
  return { ...inventory, byContainers, byUnits };
}

/** Ids of the images that containers have, running or not. */
export function containerImages(host: Host): ReadonlySet<string> {
  return new Set(listContainers(host).flatMap(({ state }) => (state === undefined ? [] : imagesOf(state))));
}

/** Its own, and those that are mounted in it. */
export function imagesOf({ imageId, mountedImages = [] }: ContainerState): string[] {
  return [imageId, ...mountedImages];
}

/** Names of the volumes that stand on an image. */
export function volumesOn(host: Host, store: string, id: string): string[] {
  return listVolumes(host, store).flatMap(({ name, image, options }) =>
    idOf(host, store, image ?? options?.['image'] ?? '').includes(id) ? [name] : [],
  );
}

const KEYS = new Set(['Image', 'ImageTag', 'Mount']);

/** What Image=, ImageTag= and Mount=type=image name in all unit files, of the system as well, since its units may run as this account. */
function unitImages(host: Host): string[] {
  return [...new Set([false, host.uid !== 0])].flatMap(user => {
    const found = search(host, searchDirectories(host, user), user);
    const units = loadUnits(host, { ...found, units: found.units.filter(unit => !unit.masked) });
    return units.flatMap(unit =>
      unit.document.sections.flatMap(section =>
        section.entries
          .filter(entry => KEYS.has(entry.key))
          .flatMap(({ key, value }) => (key === 'Mount' ? mountedImage(value) : [value.trim()])),
      ),
    );
  });
}

function mountedImage(value: string): string[] {
  const words = new Map((splitCsv(value.trim()) ?? []).map(field => cut(field, '=')));
  const source = words.get('source') ?? words.get('src');
  return words.get('type') === 'image' && source !== undefined ? [source] : [];
}

function idOf(host: Host, store: string, name: string): string[] {
  try {
    const id = findImageId(host, store, name);
    return id === undefined ? [] : [id];
  } catch {
    return []; // a short name that means several: its units do not start either
  }
}

/** `Image=registry/app:%i`: any instance may run. */
function matchTemplate(inventory: Inventory, name: string): string[] {
  const parts = name.split(/%./).map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const shape = new RegExp(`(?:^|/)${parts.join('.*')}(?::[^/]*)?$`);
  return [...inventory.names].filter(([, names]) => names.some(one => shape.test(one))).map(([id]) => id);
}
