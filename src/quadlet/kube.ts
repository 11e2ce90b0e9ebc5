import { KUBE_DOWN_VERB, KUBE_PLAY_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry } from '../unit/document.ts';
import { absolute } from '../unit/specifiers.ts';
import { noSpecifiers } from '../unit/write.ts';
import { preparedAccount } from './account.ts';
import { mappingSpecials } from './mapping.ts';
import { failAt, failSection, type Draft, type Setting, type Unit } from './model.ts';
import { optionsOf } from './options.ts';
import { lastItem, readBoolean, readWords } from './read.ts';
import { networkOptions, type Referring } from './references.ts';
import {
  argumentWords,
  commandBase,
  commandLine,
  defaultService,
  flagUse,
  killMode,
  notifyType,
  UNIT_VARIABLE,
} from './service.ts';

const MAPPING = mappingSpecials(false);

/** `[Kube]`: what a Kubernetes file describes, as one service. */
export function translateKube(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const from: Referring = { unit, draft, setting };
  killMode(unit, draft);
  draft.lines.push(UNIT_VARIABLE);
  notifyType(unit, draft);
  preparedAccount(unit, draft, setting);
  defaultService(unit, draft, 'SyslogIdentifier', '%N');
  const files = readWords(unit, 'Yaml').map(item => absolute(item.value, unit.directory));
  if (files.length === 0) failSection(unit, 'required', 'no Yaml key specified', 'add Yaml= to [Kube]');
  workingDirectory(unit, draft, files);
  const options: OptionUse[] = [
    { name: 'replace', value: 'true', form: 'flag' },
    { name: 'service-container', value: 'true', form: 'joined' },
    ...optionsOf(unit, { ...MAPPING, Network: (_, uses) => networkOptions(from, uses), AutoUpdate: autoUpdate }),
  ];
  const play = commandLine(base, KUBE_PLAY_VERB, { options, optionWords: argumentWords(unit), operands: files });
  draft.lines.push(`ExecStart=${play}`);
  const force = readBoolean(unit, 'KubeDownForce');
  const down: OptionUse[] = force === undefined ? [] : [flagUse('force', force)];
  draft.lines.push(`ExecStopPost=${commandLine(base, KUBE_DOWN_VERB, { options: down, operands: files })}`);
}

function autoUpdate(unit: Unit, uses: OptionUse[]): void {
  for (const { value } of readWords(unit, 'AutoUpdate')) {
    const slash = value.indexOf('/');
    const text = slash < 0 ? `=${value}` : `/${value.slice(0, slash)}=${value.slice(slash + 1)}`;
    uses.push({ name: 'annotation', value: `io.containers.autoupdate${text}`, form: 'joined' });
  }
}

function workingDirectory(unit: Unit, draft: Draft, files: readonly Bytes[]): void {
  const item = lastItem(unit, 'SetWorkingDirectory');
  if (item === undefined || item.value === '') return;
  const mode = item.value.toLowerCase();
  if (mode !== 'yaml' && mode !== 'unit') {
    failAt(unit, item.entry, 'value', `unsupported value for SetWorkingDirectory: ${item.value}`, {
      hint: 'write yaml or unit',
    });
    return;
  }
  if (mode === 'yaml' && files.length > 1) {
    failAt(unit, item.entry, 'conflict', 'SetWorkingDirectory=yaml needs exactly one Yaml key', { hint: 'write unit' });
  }
  if (lastEntry(unit.service, 'WorkingDirectory') !== undefined) return;
  const file = files[0] ?? '';
  // In a path of [Service] a dollar sign is itself; in the Exec line it was doubled.
  const directory =
    mode === 'unit' ? noSpecifiers(unit.directory) : file.slice(0, file.lastIndexOf('/')).replaceAll('$$', '$');
  draft.lines.push(`WorkingDirectory=${directory === '' ? '/' : directory}`);
}
