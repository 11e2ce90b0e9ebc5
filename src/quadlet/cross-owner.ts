import { problem, type Problem } from '../base/problem.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry, placeOf, type Entry } from '../unit/document.ts';
import type { UnitType } from '../unit/names.ts';
import { boolean } from '../unit/values.ts';
import { accountId, accountOf } from './account.ts';
import type { Setting, Unit } from './model.ts';

/**
 * Root and each account have a store of their own: what the unit of one makes, another does not find there. A volume of the same name springs
 * into being then, empty and without the options of its file. (A network of another account hinders the translation; see references.ts.)
 */
export function otherAccounts(units: readonly Unit[], setting: Setting): Problem[] {
  if (setting.user) return [];
  return units.flatMap(unit =>
    unit.references.flatMap(({ unit: other, entry }) => {
      const what = entry.section.name === 'Unit' ? undefined : WHAT[other.name.type];
      return what === undefined ? [] : judge(unit, other, entry, what, setting);
    }),
  );
}

/** What becomes of a reference across accounts. */
const WHAT: Partial<Record<UnitType, string>> = {
  volume: 'the start would make another volume, empty and without the options of that file',
  pod: 'a pod and its containers need one owner',
  container: 'the start would not find that container',
  image: 'the start would not find that image',
  build: 'the start would not find that image',
  artifact: 'the start would not find that artifact',
};

function judge(unit: Unit, other: Unit, entry: Entry, what: string, setting: Setting): Problem[] {
  const [ours, theirs] = [ownerOf(unit, setting), ownerOf(other, setting)];
  if (ours.id === theirs.id) return [];
  // Accounts are handed root's images (account.ts).
  if (theirs.id === '' && (other.name.type === 'image' || other.name.type === 'build')) return [];
  const message = `${other.name.name} belongs to ${theirs.shown}, this unit runs as ${ours.shown}: ${what}`;
  const hint = hintFor(unit, other, ours, theirs);
  return [problem('other-account', message, { ...placeOf(entry, other.name.name), key: entry.key, hint })];
}

interface Owner {
  /** Empty: root. */
  readonly id: Bytes;
  readonly shown: Bytes;
  /** What [Service] says; absent for root. */
  readonly line?: Bytes;
}

function ownerOf(unit: Unit, setting: Setting): Owner {
  const user = accountOf(unit, setting);
  if (user !== undefined) {
    const id = accountId(user, setting);
    return id === '0' ? ROOT : { id, shown: user, line: `User=${user}` };
  }
  const entry = lastEntry(unit.service, 'DynamicUser');
  if (entry === undefined || boolean(entry.value) !== true) return ROOT;
  return { id: `dynamic ${unit.stem}`, shown: 'an account of its own (DynamicUser=)' };
}

const ROOT: Owner = { id: '', shown: 'root' };

function hintFor(unit: Unit, other: Unit, ours: Owner, theirs: Owner): string {
  if (ours.line !== undefined) return `write ${ours.line} into [Service] of ${other.name.name}, too`;
  if (theirs.line === undefined) return `give both units one User=`;
  return ours.id === ''
    ? `take ${theirs.line} out of [Service] of ${other.name.name}, or write it into that of ${unit.name.name}`
    : `write ${theirs.line} in place of DynamicUser= into [Service] of ${unit.name.name}`;
}
