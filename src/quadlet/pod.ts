import { POD_CREATE_VERB, POD_RM_VERB, POD_START_VERB, POD_STOP_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry } from '../unit/document.ts';
import { scalar } from '../unit/values.ts';
import { accountLines, namespaceLines } from './account.ts';
import { mappingSpecials } from './mapping.ts';
import type { Draft, Setting, Unit } from './model.ts';
import { optionsOf } from './options.ts';
import { lastItem, readScalar } from './read.ts';
import { networkOptions, volumeOptions, type Referring } from './references.ts';
import {
  argumentWords,
  commandBase,
  commandLine,
  defaultService,
  setService,
  UNIT_VARIABLE,
  type CommandBase,
} from './service.ts';
import { defaultResource } from './volume.ts';

const MAPPING = mappingSpecials(true);

export function podName(unit: Unit): Bytes {
  return readScalar(unit, 'PodName') ?? defaultResource(unit.name);
}

/** `[Pod]`: a forking service whose main process is the pod's holder. Members are known when all containers were translated. */
export function translatePod(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const name = podName(unit);
  const from: Referring = { unit, draft, setting };
  for (const member of unit.members) draft.tail.push(`Wants=${member}.service`, `Before=${member}.service`);
  defaultService(unit, draft, 'SyslogIdentifier', '%N');
  accountLines(unit, draft, setting, undefined);
  const pidFile = pidFileOf(unit, draft, setting);
  const options: OptionUse[] = [
    { name: 'infra-conmon-pidfile', value: pidFile, form: 'joined' },
    { name: 'replace', value: 'true', form: 'flag' },
    { name: 'exit-policy', value: lastItem(unit, 'ExitPolicy')?.value ?? 'stop' },
    ...optionsOf(unit, {
      ...MAPPING,
      Network: (_, uses) => networkOptions(from, uses),
      Volume: (_, uses) => volumeOptions(from, uses),
    }),
    { name: 'infra-name', value: `${name}-infra` },
    { name: 'name', value: name },
  ];
  const optionWords = argumentWords(unit);
  namespaceLines(unit, draft, setting, options, optionWords);
  draft.lines.push(`ExecStart=${commandLine(base, POD_START_VERB, { options: [], operands: [name] })}`);
  podStopLines(unit, draft, base);
  draft.lines.push(
    `ExecStartPre=${commandLine(base, POD_CREATE_VERB, { options, optionWords, operands: [] })}`,
    UNIT_VARIABLE,
  );
  setService(unit, draft, 'Type', 'forking');
  defaultService(unit, draft, 'Restart', 'on-failure');
  setService(unit, draft, 'PIDFile', pidFile);
}

/** The lines that stop a pod; the failure unit of a broken file has them too. */
export function podStopLines(unit: Unit, draft: Draft, base: CommandBase): void {
  const operands = [podName(unit)];
  const time: OptionUse = { name: 'time', value: lastItem(unit, 'StopTimeout')?.value ?? '10', form: 'joined' };
  draft.lines.push(
    `ExecStop=${commandLine(base, POD_STOP_VERB, { options: [IGNORE, time], operands })}`,
    `ExecStopPost=${commandLine(base, POD_RM_VERB, { options: [IGNORE, FORCE], operands })}`,
  );
}

const IGNORE: OptionUse = { name: 'ignore', value: 'true', form: 'flag' };
const FORCE: OptionUse = { name: 'force', value: 'true', form: 'flag' };

/** An account may not write to /run itself: below the unit's own directory there, which systemd makes for it. */
export function pidFileOf(unit: Unit, draft: Draft, setting: Setting): Bytes {
  const user = scalar(lastEntry(unit.service, 'User')?.value ?? '');
  if (setting.user || user === '' || user === 'root' || user === '0') return '%t/%N.pid';
  const own = scalar(lastEntry(unit.service, 'RuntimeDirectory')?.value ?? '').split(' ')[0] ?? '';
  if (own !== '') return `%t/${own.split(':')[0] ?? own}/%N.pid`;
  defaultService(unit, draft, 'RuntimeDirectory', 'berth-%N');
  return '%t/berth-%N/%N.pid';
}
