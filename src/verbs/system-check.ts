import { SYSTEM_CHECK } from '../command/options-image.ts';
import { globalValue, isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { takeInventory, type Inventory } from '../image/collect.ts';
import { ImageError } from '../image/error.ts';
import { readPulled } from '../image/pulled.ts';
import { openStore } from '../image/store.ts';
import type { Digest } from '../image/types.ts';
import { putBack, setAside, verifyDocuments, verifyLayer, type Fault } from '../image/verify.ts';
import { listContainers } from '../run/containers.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { fetchAgain } from './pull-fetch.ts';

/** `berth system check`: compares all that the store holds with its digests. Exit status 1 when something is wrong. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, SYSTEM_CHECK);
  if (typeof command === 'number') return command;
  const store = openStore(host, globalValue(command, 'root'));
  const inventory = takeInventory(host, store);
  const { faults, verified, unverifiable } = await examine(host, store, inventory, isSet(command, 'quick'));
  for (const fault of faults) host.write(1, `${fault.line}${usersOf(inventory, fault)}\n`);
  const parts = [
    `${inventory.images.length} images`,
    `${verified} layers ${isSet(command, 'quick') ? 'there' : 'verified'}`,
  ];
  if (unverifiable > 0) parts.push(`${unverifiable} layers that cannot be verified (they have no recipe)`);
  if (inventory.looseLayers.length > 0)
    parts.push(`${inventory.looseLayers.length} layers that no image has (berth image prune)`);
  host.write(1, `${parts.join(', ')}, ${faults.length === 0 ? 'nothing wrong' : `${faults.length} faults`}\n`);
  if (faults.length === 0) return 0;
  if (!isSet(command, 'repair')) {
    say(host, 'berth system check --repair fetches again what is broken');
    return 1;
  }
  return repair(host, store, inventory, faults);
}

async function examine(
  host: Host,
  store: string,
  inventory: Inventory,
  quick: boolean,
): Promise<{ faults: Fault[]; verified: number; unverifiable: number }> {
  const faults = inventory.images.flatMap(image => verifyDocuments(host, store, image));
  let verified = 0;
  let unverifiable = 0;
  for (const layer of new Set(inventory.images.flatMap(image => [...image.layers]))) {
    const finding = await verifyLayer(host, store, layer, quick);
    if (finding === 'whole') verified++;
    else if (finding === 'unverifiable') unverifiable++;
    else faults.push(finding);
  }
  const ids = new Set(inventory.images.map(image => image.id));
  for (const [id, names] of inventory.names)
    if (!ids.has(id)) faults.push(...names.map(name => ({ line: `${name}: its image is missing`, image: id })));
  return { faults, verified, unverifiable };
}

function brokenImages(inventory: Inventory, faults: readonly Fault[]): Set<string> {
  const layers = new Set<Digest>(faults.flatMap(fault => (fault.layer === undefined ? [] : [fault.layer])));
  const ids = new Set(faults.flatMap(fault => (fault.image === undefined ? [] : [fault.image])));
  for (const image of inventory.images) if (image.layers.some(layer => layers.has(layer))) ids.add(image.id);
  return ids;
}

function usersOf(inventory: Inventory, fault: Fault): string {
  const names = [...brokenImages(inventory, [fault])].flatMap(id => inventory.names.get(id) ?? []);
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

/** What cannot be fetched is as broken as it was: the image may still start. */
async function instead(
  host: Host,
  store: string,
  layers: readonly Digest[],
  work: string,
  fetch: () => Promise<void>,
): Promise<void> {
  try {
    for (const layer of layers) setAside(host, store, layer, work);
    await fetch();
  } catch (error) {
    for (const layer of layers) putBack(host, store, layer, work);
    throw error;
  }
}

/** An image's broken layers go aside, then it is fetched under the name that it was pulled by; not while a container uses it. */
async function repair(host: Host, store: string, inventory: Inventory, faults: readonly Fault[]): Promise<number> {
  let status = 0;
  for (const id of brokenImages(inventory, faults)) {
    const names = inventory.names.get(id) ?? [];
    const name = names.find(one => readPulled(host, store, one)?.image === id);
    try {
      const users = listContainers(host).filter(container => container.state?.imageId === id);
      if (users.length > 0)
        throw new ImageError(
          `${name ?? id.slice(0, 12)}: used by ${users.map(one => one.name).join(', ')}; stop it first`,
        );
      if (name === undefined)
        throw new ImageError(`${names[0] ?? id.slice(0, 12)}: not from a registry; load or import it again`);
      const layers = inventory.images.find(image => image.id === id)?.layers ?? [];
      const broken = layers.filter(layer => faults.some(fault => fault.layer === layer));
      await withWork(host, store, work => instead(host, store, broken, work, () => fetchAgain(host, store, name)));
      host.write(1, `${name}: fetched again\n`);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      say(host, error.message);
      status = 1;
    }
  }
  return status;
}
