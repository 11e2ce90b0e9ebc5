import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import type { Entry } from '../unit/document.ts';
import { typeOf, type UnitType } from '../unit/names.ts';
import { absolute, clean, startsWithSpecifier } from '../unit/specifiers.ts';
import { noSpecifiers } from '../unit/write.ts';
import { accountId, accountOf } from './account.ts';
import { formatRecord, parseRecord } from './csv.ts';
import { failAt, type Draft, type Setting, type Unit } from './model.ts';
import { readArguments, readList, type Item } from './read.ts';
import { depend, needMount } from './service.ts';

/** Where a reference stands and what it may use. */
export interface Referring {
  readonly unit: Unit;
  readonly draft: Draft;
  readonly setting: Setting;
}

/** The unit that a name means; a missing one is an error of the referring unit. `what` is the peer's word for it. */
export function refer(from: Referring, entry: Entry, name: Bytes, what: string): Unit | undefined {
  const found = from.setting.graph.get(name);
  if (found === undefined) {
    const hint = `no ${name} was found in the search path`;
    failAt(from.unit, entry, 'reference', `requested Quadlet ${what} ${name} was not found`, { part: name, hint });
    return undefined;
  }
  from.unit.references.push({ unit: found, entry });
  return found;
}

/** `Network=`: `--network V`, with names of units resolved. */
export function networkOptions(from: Referring, uses: OptionUse[]): void {
  for (const { value, entry } of readList(from.unit, 'Network')) {
    uses.push({ name: 'network', value: network(from, entry, value) });
  }
}

function network(from: Referring, entry: Entry, value: Bytes): Bytes {
  const colon = value.indexOf(':');
  const name = colon < 0 ? value : value.slice(0, colon);
  const type = typeOf(name);
  if ((type !== 'network' && type !== 'container') || name.length <= type.length) return value;
  const found = refer(from, entry, name, 'unit');
  if (found === undefined) return value;
  depend(from.draft, found.stem);
  if (type === 'network') checkOwner(from, entry, found);
  if (type === 'network') return `${found.resource ?? ''}${colon < 0 ? '' : value.slice(colon)}`;
  if (colon >= 0) {
    failAt(from.unit, entry, 'wrong-reference', `extra options are not supported when joining the network of ${name}`, {
      part: name,
    });
  }
  if (found.resource === undefined) {
    const hint = 'give it a ContainerName= without specifiers';
    failAt(from.unit, entry, 'wrong-reference', `cannot get the resource name of ${name}`, { part: name, hint });
  }
  return `container:${found.resource ?? ''}`;
}

/** Root and each account have networks of their own. */
function checkOwner({ unit, setting }: Referring, entry: Entry, found: Unit): void {
  const [ours, theirs] = [accountOf(unit, setting), accountOf(found, setting)];
  if (ours === theirs) return;
  if (ours !== undefined && theirs !== undefined && accountId(ours, setting) === accountId(theirs, setting)) return;
  const hint =
    ours === undefined
      ? `take User=${theirs ?? ''} out of [Service] of ${found.name.name}`
      : `write User=${ours} into [Service] of ${found.name.name}, too`;
  failAt(
    unit,
    entry,
    'account',
    `${found.name.name} is a network of ${theirs ?? 'root'}, this unit runs as ${ours ?? 'root'}`,
    {
      hint,
    },
  );
}

/** `Volume=`: `-v V`, with names of units resolved and relative sources made absolute. */
export function volumeOptions(from: Referring, uses: OptionUse[]): void {
  for (const { value, entry } of readList(from.unit, 'Volume')) {
    uses.push({ name: 'volume', value: volume(from, entry, value), letter: 'v' });
  }
}

function volume(from: Referring, entry: Entry, value: Bytes): Bytes {
  const first = value.indexOf(':');
  if (first < 0) return value;
  const source = value.slice(0, first);
  if (source === '') return value.slice(1);
  return storage(from, entry, source, false) + value.slice(first);
}

/** A source of a mount: a path, a unit, or a name. */
function storage(from: Referring, entry: Entry, source: Bytes, images: boolean): Bytes {
  const { unit, draft } = from;
  if (source.startsWith('.')) {
    needMount(draft, clean(`${noSpecifiers(unit.directory)}/${source}`));
    return absolute(source, unit.directory);
  }
  if (source.startsWith('/')) {
    needMount(draft, source);
    return source;
  }
  if (startsWithSpecifier(source) && DIRECTORY.test(source)) {
    needMount(draft, source);
    return source;
  }
  const type = typeOf(source);
  if (type === undefined || !isSource(type, images) || source.length <= type.length) return source;
  const found = refer(from, entry, source, 'source');
  if (found === undefined) return source;
  depend(draft, found.stem);
  return found.resource ?? '';
}

/** Specifiers of systemd that are absolute directories. */
const DIRECTORY = /^%[CEhLStTVyY](\/|$)/;

function isSource(type: UnitType, images: boolean): boolean {
  return type === 'volume' || type === 'artifact' || (images && (type === 'image' || type === 'build'));
}

const WITH_SOURCE = new Set(['volume', 'bind', 'glob', 'image', 'artifact']);

/** `Mount=`: `--mount V`, a record of fields with commas between them, with the source resolved. */
export function mountOptions(from: Referring, uses: OptionUse[]): void {
  for (const item of readArguments(from.unit, 'Mount')) uses.push({ name: 'mount', value: mount(from, item) });
}

function mount(from: Referring, { value, entry }: Item): Bytes {
  const record = parseRecord(value);
  if (record === undefined) {
    failAt(from.unit, entry, 'mount', `\`Mount=${value}\` has a misplaced quote`, { hint: 'quote whole fields only' });
    return value;
  }
  const types = record.filter(field => field.startsWith('type='));
  const type = types.at(-1)?.slice('type='.length) ?? 'volume';
  if (!WITH_SOURCE.has(type)) return value;
  const fields = record.filter(field => !field.startsWith('type='));
  const at = fields.findLastIndex(field => field.startsWith('source') || field.startsWith('src'));
  const [name = '', ...rest] = (fields[at] ?? '').split('=');
  const isSource = name === 'source' || name === 'src';
  const source = isSource ? rest.join('=') : '';
  if (isSource && rest.length === 0) {
    failAt(from.unit, entry, 'mount', 'source parameter does not include a value', { hint: 'write source=PATH' });
    return value;
  }
  if (source === '') {
    if (type === 'volume') return value;
    const hint = 'add source=PATH';
    failAt(from.unit, entry, 'mount', `source parameter is required for mount type ${type}`, { hint });
    return value;
  }
  fields[at] = `source=${storage(from, entry, source, true)}`;
  return formatRecord([
    `type=${type}`,
    ...fields.map(field => (field.startsWith('src=') ? `source=${field.slice(4)}` : field)),
  ]);
}
