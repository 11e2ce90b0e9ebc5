import { SYSTEM_CHECK } from '../command/options-image.ts';
import { globalValue, isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { sweep } from '../image/archive/ingest.ts';
import { takeInventory, type Inventory } from '../image/collect.ts';
import { openStore } from '../image/store.ts';
import { verifyDocuments, verifyLayer, type Fault } from '../image/verify.ts';
import { commandLine } from './command-line.ts';
import { say } from './edge.ts';
import { brokenImages, repair } from './system-repair.ts';

/** `berth system check`: compares all that the store holds with its digests. Exit status 1 when something is wrong. */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, SYSTEM_CHECK);
  if (typeof command === 'number') return command;
  const store = openStore(host, globalValue(command, 'root'));
  // A repair that was killed may have had layers in its hands.
  await sweep(host, store);
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

function usersOf(inventory: Inventory, fault: Fault): string {
  const names = [...brokenImages(inventory, [fault])].flatMap(id => inventory.names.get(id) ?? []);
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}
