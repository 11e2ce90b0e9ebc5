import { VOLUME_CREATE_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import type { UnitName } from '../unit/names.ts';
import { unsigned } from '../unit/values.ts';
import { preparedAccount } from './account.ts';
import { imageOf } from './image-name.ts';
import { failAt, warnIgnored, type Draft, type Setting, type Unit } from './model.ts';
import { optionsOf, type Special } from './options.ts';
import { lastItem, lastOf, readBoolean, readScalar } from './read.ts';
import { argumentWords, commandBase, commandLine, needMount, oneShot } from './service.ts';

/** Name of the resource of a unit that gives none: `systemd-NAME`; for a template with `%i` where the instance goes. */
export function defaultResource(name: UnitName): Bytes {
  if (name.instance === undefined) return `systemd-${name.stem}`;
  return `systemd-${name.prefix}-${name.instance === '' ? '%i' : name.instance}`;
}

export function volumeName(unit: Unit): Bytes {
  return readScalar(unit, 'VolumeName') ?? defaultResource(unit.name);
}

/** `[Volume]` */
export function translateVolume(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const ofImage = readScalar(unit, 'Driver') === 'image';
  const options: OptionUse[] = [
    { name: 'ignore', value: 'true', form: 'flag' },
    ...optionsOf(unit, ofImage ? imageSpecials(unit, draft, setting) : FILE_SYSTEM),
  ];
  const driver = lastOf(unit, 'Driver');
  if (ofImage && driver !== undefined && readScalar(unit, 'Image') === undefined) {
    const hint = 'add Image= to [Volume]';
    failAt(unit, driver, 'required', 'the key Image is mandatory when using the image driver', { hint });
  }
  if (ofImage) ignored(unit, setting);
  else mountSource(unit, draft, options, setting);
  oneShot(unit, draft, true);
  preparedAccount(unit, draft, setting);
  const operands = [volumeName(unit)];
  draft.lines.push(
    `ExecStart=${commandLine(base, VOLUME_CREATE_VERB, { options, optionWords: argumentWords(unit), operands })}`,
  );
}

function imageSpecials(unit: Unit, draft: Draft, setting: Setting): Readonly<Record<string, Special>> {
  return {
    Image: (_, uses) => {
      const item = lastItem(unit, 'Image');
      if (item !== undefined && item.value !== '') uses.push(option('image', imageOf({ unit, draft, setting }, item)));
    },
  };
}

const FILE_SYSTEM: Readonly<Record<string, Special>> = {
  Image: unit => warnIgnored(unit, 'Image', 'without Driver=image'),
  Copy: (unit, uses) => {
    const copy = readBoolean(unit, 'Copy');
    if (copy !== undefined) uses.push({ name: 'opt', value: copy ? 'copy' : 'nocopy' });
  },
};

/** Keys of a file system beside an image. Their values are judged all the same: one key later they would count. */
function ignored(unit: Unit, setting: Setting): void {
  for (const key of ['Device', 'Type', 'Options', 'User', 'Group', 'Copy']) warnIgnored(unit, key, 'with Driver=image');
  readBoolean(unit, 'Copy');
  number(unit, 'User', 'uid', setting);
  number(unit, 'Group', 'gid', setting);
}

function option(name: string, value: Bytes): OptionUse {
  return { name: 'opt', value: `${name}=${value}` };
}

/** Device=, Type=, and one `o=` with owner, group and Options=. */
function mountSource(unit: Unit, draft: Draft, uses: OptionUse[], setting: Setting): void {
  const device = readScalar(unit, 'Device');
  if (device !== undefined) uses.push(option('device', device));
  const type = lastItem(unit, 'Type');
  if (type !== undefined && type.value !== '') {
    uses.push(option('type', type.value));
    if (device === undefined)
      failAt(unit, type.entry, 'conflict', "key Type can't be used without Device", { hint: 'add Device=' });
    else if (type.value === 'bind') needMount(draft, device);
  }
  const parts = [
    number(unit, 'User', 'uid', setting),
    number(unit, 'Group', 'gid', setting),
    readScalar(unit, 'Options'),
  ];
  const given = parts.filter(part => part !== undefined);
  if (given.some(part => /^[ug]id=.*\D/s.test(part))) draft.tail.push('After=nss-user-lookup.target');
  if (given.length > 0) uses.push(option('o', given.join(',')));
}

/**
 * An id. Names are looked up now: a name that nobody knows must not become id 0. One that a directory service may know stays, and `volume create` asks.
 */
function number(unit: Unit, key: 'User' | 'Group', name: string, setting: Setting): string | undefined {
  const item = lastItem(unit, key);
  if (item === undefined || item.value === '') return undefined;
  const id = unsigned(item.value) ?? setting.account(key === 'User' ? 'user' : 'group', item.value);
  if (id === undefined) {
    const what = key === 'User' ? 'user' : 'group';
    failAt(unit, item.entry, 'account', `\`${key}=${item.value}\`: no such ${what}`, {
      hint: 'write a name of this machine, or a number',
    });
  }
  return `${name}=${id === 'later' ? item.value : (id ?? '')}`;
}
