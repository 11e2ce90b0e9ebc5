import { BUILD_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { startsWithSpecifier } from '../unit/specifiers.ts';
import { literal, noSpecifiers } from '../unit/write.ts';
import { preparedAccount } from './account.ts';
import { failAt, failSection, type Draft, type Setting, type Unit } from './model.ts';
import { optionsOf } from './options.ts';
import { lastItem, lastOf, readList, readScalar } from './read.ts';
import { networkOptions, volumeOptions, type Referring } from './references.ts';
import { argumentWords, commandBase, commandLine, oneShot, serviceValue } from './service.ts';

/** What references to a build unit become: its first tag. */
export function buildResource(unit: Unit): Bytes | undefined {
  return readList(unit, 'ImageTag')[0]?.value;
}

/** `[Build]` */
export function translateBuild(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const from: Referring = { unit, draft, setting };
  if (buildResource(unit) === undefined)
    failSection(unit, 'required', 'no ImageTag key specified', 'add ImageTag= to [Build]');
  const file = readScalar(unit, 'File');
  const options = optionsOf(unit, {
    ImageTag: (_, uses) => {
      for (const { value } of readList(unit, 'ImageTag')) uses.push({ name: 'tag', value });
    },
    Network: (_, uses) => networkOptions(from, uses),
    Volume: (_, uses) => volumeOptions(from, uses),
    File: (_, uses: OptionUse[]) => {
      if (file !== undefined) uses.push({ name: 'file', value: file });
    },
  });
  oneShot(unit, draft, false);
  preparedAccount(unit, draft, setting);
  const context = contextOf(unit, draft, file);
  const operands = context === undefined ? [] : [context];
  draft.lines.push(
    `ExecStart=${commandLine(base, BUILD_VERB, { options, optionWords: argumentWords(unit), operands })}`,
  );
}

/** The last word of the command; the service's WorkingDirectory= is set on the way where that is what makes the context. */
function contextOf(unit: Unit, draft: Draft, file: Bytes | undefined): Bytes | undefined {
  const own = serviceValue(unit, 'WorkingDirectory');
  let directory = own;
  const set = (path: Bytes): void => {
    if (own !== undefined) return;
    directory = literal(path);
    draft.lines.push(`WorkingDirectory=${noSpecifiers(path)}`);
  };
  const item = lastItem(unit, 'SetWorkingDirectory');
  const mode = item?.value.toLowerCase() ?? '';
  if (item === undefined || mode === '') {
    if (file === undefined && own === undefined) {
      failSection(unit, 'required', 'neither SetWorkingDirectory, nor File key specified', 'add File= to [Build]');
      return undefined;
    }
  } else if (mode === 'yaml') {
    failAt(unit, item.entry, 'value', 'SetWorkingDirectory=yaml is only supported in .kube files', {
      hint: 'write file or unit',
    });
    return undefined;
  } else if (mode === 'unit') {
    set(unit.directory);
  } else if (mode === 'file') {
    if (file === undefined) {
      failAt(unit, item.entry, 'conflict', 'SetWorkingDirectory=file needs the File key', { hint: 'add File=' });
      return undefined;
    }
    set(directoryOf(file, unit.directory));
  } else {
    const relative = !item.value.startsWith('/') && !startsWithSpecifier(item.value) && !isUrl(item.value);
    if (!relative) return item.value;
    if (own === undefined) {
      set(unit.directory);
      return item.value;
    }
  }
  return implied(unit, file, directory);
}

/** Without a context of its own, the working directory is the context of a relative File=. */
function implied(unit: Unit, file: Bytes | undefined, directory: Bytes | undefined): Bytes | undefined {
  if (file !== undefined && (file.startsWith('/') || startsWithSpecifier(file) || isUrl(file))) return undefined;
  const entry = lastOf(unit, 'File');
  if (directory === undefined && entry !== undefined) {
    const message = 'relative path in File key requires SetWorkingDirectory key to be set';
    failAt(unit, entry, 'required', message, { hint: 'add SetWorkingDirectory=unit' });
  }
  return directory;
}

function directoryOf(file: Bytes, unitDirectory: Bytes): Bytes {
  const slash = file.lastIndexOf('/');
  const parent = slash < 0 ? '' : file.slice(0, slash);
  return file.startsWith('/') ? parent || '/' : parent === '' ? unitDirectory : `${unitDirectory}/${parent}`;
}

function isUrl(text: Bytes): boolean {
  return /^(http|https|git):\/\//.test(text) || text.startsWith('http') || text.includes('github.com/');
}
