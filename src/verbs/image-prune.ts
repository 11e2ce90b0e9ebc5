import { readSync } from 'node:fs';
import { IMAGE_PRUNE } from '../command/options-image.ts';
import { allValues, globalValue, isSet, lastValue } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { withWork } from '../image/archive/ingest.ts';
import { totalBytes } from '../image/collect.ts';
import { ImageError } from '../image/error.ts';
import { lockImage, removeImageLock } from '../image/lock.ts';
import { prunePartials } from '../image/pull/partial.ts';
import { listNames, removeName } from '../image/names.ts';
import { readPulled, removePulled } from '../image/pulled.ts';
import { removeImage, removeLoose } from '../image/remove.ts';
import { openStore } from '../image/store.ts';
import type { ImageRecord } from '../image/types.ts';
import { Failure } from '../run/failure.ts';
import { commandLine } from './command-line.ts';
import { layerSizes } from './disk-bytes.ts';
import { sizeText } from './images.ts';
import { parseFilter } from './images-select.ts';
import { containerImages, usedImages, type UsedImages } from './used-images.ts';

/**
 * `berth image prune`: takes what nobody needs. What containers have and what units name stays always, with the one version before it. A name
 * keeps an image, too, unless --all or a --budget is given.
 */
export async function main(host: Host): Promise<number> {
  const command = commandLine(host, IMAGE_PRUNE);
  if (typeof command === 'number') return command;
  const store = openStore(host, globalValue(command, 'root'));
  const budget = budgetOf(lastValue(command, 'budget'));
  const all = isSet(command, 'all');
  const filters = allValues(command, 'filter').map(text => ageFilter(host, text) ?? parseRowFilter(host, store, text));
  if (!isSet(command, 'force')) confirm(host, all);
  const used = usedImages(host, store);
  const free = used.images.filter(image => !used.byContainers.has(image.id) && !used.byUnits.has(image.id));
  const unnamed = free.filter(image => !used.names.has(image.id));
  const chosen = (all ? free : unnamed).filter(image => filters.every(filter => filter(image)));
  const over = budget > 0 ? overBudget(host, store, used, free, chosen, budget) : [];
  let bytes = 0;
  await withWork(host, store, work => {
    for (const image of [...chosen, ...over])
      if (takeImage(host, store, image, used.names.get(image.id) ?? [], `${work}/${image.id}`))
        host.write(1, `${image.id}\n`);
    bytes = removeLoose(host, store, work);
    prunePartials(host, store, all);
    return Promise.resolve();
  });
  if (bytes > 0) host.write(2, `${sizeText(bytes)} of layers that no image had are removed\n`);
  return 0;
}

/** Oldest first, named or not, until the rest fits. */
function overBudget(
  host: Host,
  store: string,
  used: UsedImages,
  free: readonly ImageRecord[],
  chosen: readonly ImageRecord[],
  budget: number,
): ImageRecord[] {
  const sizes = layerSizes(host, store).of;
  const taken = new Set(chosen);
  const age = (image: ImageRecord): number =>
    Math.max(0, ...(used.names.get(image.id) ?? []).map(name => readPulled(host, store, name)?.time ?? 0));
  const waiting = free.filter(image => !taken.has(image)).sort((a, b) => age(a) - age(b));
  const over: ImageRecord[] = [];
  for (const image of waiting) {
    const rest = used.images.filter(one => !taken.has(one));
    if (totalBytes(rest, sizes) <= budget) break;
    taken.add(image);
    over.push(image);
  }
  return over;
}

/** False when somebody is about to use it, or has come to use or to name it since we looked: then it had these names. */
export function takeImage(
  host: Host,
  store: string,
  image: ImageRecord,
  names: readonly string[],
  trash: string,
): boolean {
  const lock = lockImage(host, store, image.id, true, false);
  if (lock === undefined) return false;
  try {
    const now = listNames(host, store).flatMap(name => (name.id === image.id ? [name.reference] : []));
    if (now.some(name => !names.includes(name)) || containerImages(host).has(image.id)) return false;
    for (const name of now) {
      removeName(host, store, name);
      removePulled(host, store, name);
    }
    host.mkdir(trash, 0o700);
    removeImage(host, store, image, trash);
    removeImageLock(host, store, image.id);
    return true;
  } finally {
    lock.release();
  }
}

function confirm(host: Host, all: boolean): void {
  if (!host.isTerminal(0)) throw new Failure(125, 'image prune: nobody is there to be asked; give --force');
  host.write(2, `Remove all images that ${all ? 'nobody uses' : 'have no name and nobody uses'}? [y/N] `);
  const answer = Buffer.alloc(16);
  const length = readSync(0, answer, 0, answer.length, null);
  if (!/^y/i.test(answer.toString('latin1', 0, length))) throw new Failure(125, 'image prune: nothing was removed');
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

function budgetOf(text: string | undefined): number {
  const [, number = '', unit = ''] = /^(\d+)([kmgt]?)b?$/i.exec(text ?? '0') ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number === '' || factor === undefined) throw new ImageError(`--budget ${text ?? ''}: not a size such as 20G`);
  return Number(number) * factor;
}

/** `until=24h` or an RFC 3339 time: images that were made before. undefined: another filter. */
function ageFilter(host: Host, text: string): ((image: ImageRecord) => boolean) | undefined {
  if (!text.startsWith('until=')) return undefined;
  const value = text.slice(6);
  const match = /^(\d+)(s|m|h|d)$/.exec(value);
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] ?? 's'] ?? 1;
  const limit = match === null ? Date.parse(value) / 1000 : host.now() - Number(match[1]) * seconds;
  if (Number.isNaN(limit)) throw new ImageError(`--filter ${text}: not a time such as 24h or 2026-01-31`);
  return image => Date.parse(image.created) / 1000 < limit;
}

function parseRowFilter(host: Host, store: string, text: string): (image: ImageRecord) => boolean {
  const filter = parseFilter(host, store, text);
  return record =>
    filter({
      record,
      created: Date.parse(record.created) / 1000,
      repository: '<none>',
      tag: '<none>',
      readOnly: false,
    });
}
