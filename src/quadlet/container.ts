import { EXEC_VERB, KILL_VERB, RM_VERB, RUN_VERB } from '../command/verb-names.ts';
import type { OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry } from '../unit/document.ts';
import { plainBoolean } from '../unit/values.ts';
import { execLine } from '../unit/write.ts';
import { accountLines, namespaceLines } from './account.ts';
import { refuseSystemCalls } from './syscalls.ts';
import { faultOf } from './checks.ts';
import { imageOf } from './image-name.ts';
import { logFields } from './log-fields.ts';
import { mappingSpecials } from './mapping.ts';
import { failAt, failKey, failSection, warnAt, warnIgnored, type Draft, type Setting, type Unit } from './model.ts';
import { addOptions } from './options.ts';
import { lastItem, lastOf, readBoolean, readLastArguments, readScalar, readWords } from './read.ts';
import { healthRestart } from './health.ts';
import { mountOptions, networkOptions, volumeOptions, type Referring } from './references.ts';
import {
  argumentWords,
  commandBase,
  commandLine,
  defaultService,
  killMode,
  notifyType,
  UNIT_VARIABLE,
  type CommandBase,
} from './service.ts';

/** Name of the container as its commands have it, with specifiers. */
export function containerName(unit: Unit): Bytes {
  return readScalar(unit, 'ContainerName') ?? (unit.name.instance === undefined ? 'systemd-%N' : 'systemd-%p_%i');
}

/** `[Container]`: `berth run` as the main process of a service of Type=notify. */
export function translateContainer(unit: Unit, draft: Draft, setting: Setting): void {
  const base = commandBase(unit, setting);
  const name = containerName(unit);
  const from: Referring = { unit, draft, setting };
  checkName(unit, name, setting);
  killMode(unit, draft);
  draft.lines.push(UNIT_VARIABLE);
  stopLines(draft, base, name);
  reloadLine(unit, draft, base, name);
  draft.lines.push('Delegate=yes');
  defaultService(unit, draft, 'DelegateSubgroup', 'supervisor');
  const oneshot = notifyType(unit, draft);
  defaultService(unit, draft, 'SyslogIdentifier', '%N');
  stopTimeout(unit, draft);
  healthRestart(unit, oneshot, draft);
  const operand = imageOrRoot(from);
  const options: OptionUse[] = [{ name: 'name', value: name }, REPLACE, REMOVE, cgroups(unit)];
  notification(unit, oneshot, options);
  addOptions(unit, (key, uses) => SPECIAL[key]?.(from, uses), options);
  if (operand.rootfs) options.push(ROOTFS);
  const operands = operand.value === undefined ? [] : [operand.value, ...readLastArguments(unit, 'Exec')];
  logFields(unit, draft, setting, name, operand.rootfs ? undefined : operand.value);
  refuseSystemCalls(unit);
  accountLines(unit, draft, setting, operand.rootfs ? undefined : operand.value);
  namespaceLines(unit, draft, setting, options, argumentWords(unit));
  draft.lines.push(`ExecStart=${commandLine(base, RUN_VERB, { options, optionWords: argumentWords(unit), operands })}`);
}

/** A warning only: the peer's generator hands such names on, and the start refuses them (T20). The name of the service is known to the letter. */
function checkName(unit: Unit, name: Bytes, { asPeer }: Setting): void {
  const entry = lastOf(unit, 'ContainerName');
  if (entry === undefined) {
    if (asPeer || !(unit.stem.includes(':') || unit.stem.includes('\\'))) return;
    const text = `systemd-${unit.stem} is no name of a container`;
    return failSection(unit, 'value', text, 'write ContainerName=, or ServiceName= without `:` and `\\`');
  }
  const what = faultOf('name', name);
  if (what === undefined) return;
  const more = { part: name, hint: `write ${what}` };
  warnAt(unit, entry, 'value', `\`ContainerName=${name}\` has the wrong form`, more);
}

const REPLACE: OptionUse = { name: 'replace', value: 'true', form: 'flag' };
const REMOVE: OptionUse = { name: 'rm', value: 'true', form: 'flag' };
const ROOTFS: OptionUse = { name: 'rootfs', value: 'true', form: 'flag' };
const DETACH: OptionUse = { name: 'detach', value: 'true', form: 'flag', letter: 'd' };
const SPLIT: OptionUse = { name: 'cgroups', value: 'split', form: 'joined' };
const CONMON: OptionUse = { name: 'sdnotify', value: 'conmon', form: 'joined' };

/** The lines that stop a container; the failure unit of a broken file has them too. */
export function stopLines(draft: Draft, base: CommandBase, name: Bytes): void {
  // The same words for every container but the name: rendered once.
  base.remove ??= commandLine(base, RM_VERB, { options: REMOVAL, operands: [] });
  const remove = `${base.remove} ${execLine([name])}`;
  draft.lines.push(`ExecStop=${remove}`, `ExecStopPost=-${remove}`);
}

const REMOVAL: readonly OptionUse[] = [
  { name: 'volumes', value: 'true', form: 'flag', letter: 'v' },
  { name: 'force', value: 'true', form: 'flag', letter: 'f' },
  { name: 'ignore', value: 'true', form: 'flag', letter: 'i' },
];

function reloadLine(unit: Unit, draft: Draft, base: CommandBase, name: Bytes): void {
  const { present } = unit;
  if (!present.has('ReloadCmd') && !present.has('ReloadSignal')) return;
  const command = readLastArguments(unit, 'ReloadCmd');
  const signal = readScalar(unit, 'ReloadSignal');
  const entry = lastOf(unit, 'ReloadSignal');
  if (signal !== undefined && entry !== undefined) {
    if (command.length > 0) {
      const hint = 'keep one of them';
      failAt(unit, entry, 'conflict', 'ReloadCmd and ReloadSignal are mutually exclusive but both are set', { hint });
    }
    const what = faultOf('signal', signal);
    if (what !== undefined) {
      failAt(unit, entry, 'value', `\`ReloadSignal=${signal}\` has the wrong form`, {
        part: signal,
        hint: `write ${what}`,
      });
    }
    const options = [{ name: 'signal', value: signal }];
    draft.lines.push(`ExecReload=${commandLine(base, KILL_VERB, { options, operands: [name] })}`);
  } else if (command.length > 0) {
    draft.lines.push(`ExecReload=${commandLine(base, EXEC_VERB, { options: [], operands: [name, ...command] })}`);
  }
}

/** systemd must not lose patience before the container's own StopTimeout= has passed and its remains are removed. */
function stopTimeout(unit: Unit, draft: Draft): void {
  if (lastEntry(unit.service, 'TimeoutStopSec') !== undefined || lastEntry(unit.service, 'TimeoutSec') !== undefined)
    return;
  const seconds = Number(readScalar(unit, 'StopTimeout') ?? '10');
  if (seconds < 0) draft.lines.push('TimeoutStopSec=infinity');
  else if (Number.isSafeInteger(seconds)) {
    draft.lines.push(`TimeoutStopSec=${seconds + 15}`);
    // A first process without a handler never sees the SIGABRT of a watchdog (pid_namespaces(7)): it has the patience of its stop signal.
    const watched = lastEntry(unit.service, 'WatchdogSec') !== undefined;
    if (watched) defaultService(unit, draft, 'TimeoutAbortSec', String(Math.max(seconds, 1)));
  }
}

function cgroups(unit: Unit): OptionUse {
  const mode = readScalar(unit, 'CgroupsMode');
  return mode === undefined ? SPLIT : { name: 'cgroups', value: mode };
}

function notification(unit: Unit, oneshot: boolean, options: OptionUse[]): void {
  const item = lastItem(unit, 'Notify');
  let use = CONMON;
  if (item !== undefined) {
    const healthy = item.value.toLowerCase() === 'healthy';
    const asked = CONNECTION.test(item.value);
    const value = healthy || asked || plainBoolean(item.value);
    if (value === undefined) {
      const hint = 'write yes, no, healthy, port:N, http:N/PATH or unix:PATH';
      failAt(unit, item.entry, 'boolean', `\`Notify=${item.value}\` is neither true nor false`, { hint });
    }
    if (asked) use = { name: 'sdnotify', value: item.value, form: 'joined' };
    else if (value === true) use = { name: 'sdnotify', value: healthy ? 'healthy' : 'container', form: 'joined' };
  }
  if (!oneshot) options.push(use, DETACH);
}

/** What `berth run --sdnotify` takes; a port may come from a variable. */
const CONNECTION = /^(port:[^ ]+|http:[^ ]+|unix:[^ ]+)$/;

function imageOrRoot(from: Referring): { value: Bytes | undefined; rootfs: boolean } {
  const { unit } = from;
  const image = lastItem(unit, 'Image');
  const rootfs = readScalar(unit, 'Rootfs');
  if (image === undefined || image.value === '') {
    if (rootfs === undefined)
      failSection(unit, 'required', 'no Image or Rootfs key specified', 'add Image= to [Container]');
    return { value: rootfs, rootfs: true };
  }
  if (rootfs !== undefined) {
    const message = 'the Image And Rootfs keys conflict can not be specified together';
    failKey(unit, image.entry, 'conflict', message, 'keep one of them');
  }
  return { value: imageOf(from, image), rootfs: false };
}

const MAPPING = mappingSpecials(true);

/** Keys with code of their own. */
const SPECIAL: Readonly<Record<string, (from: Referring, uses: OptionUse[]) => void>> = {
  ...Object.fromEntries(
    Object.entries(MAPPING).map(([key, act]) => [key, (from: Referring, uses: OptionUse[]) => act(from.unit, uses)]),
  ),
  Network: networkOptions,
  Volume: volumeOptions,
  Mount: mountOptions,
  Pod: pod,
  AddDevice: devices,
  VolatileTmp: volatileTmp,
  User: user,
  Group: group,
  StartWithPod: startWithPod,
};

function startWithPod({ unit }: Referring): void {
  readBoolean(unit, 'StartWithPod');
  if (readScalar(unit, 'Pod') === undefined) warnIgnored(unit, 'StartWithPod', 'without Pod=');
}

/** Whether an optional one exists is seen at the start: when the generator runs at boot, drivers are not loaded yet. */
function devices({ unit, setting }: Referring, uses: OptionUse[]): void {
  for (const { value } of readWords(unit, 'AddDevice')) {
    if (!value.startsWith('-')) uses.push({ name: 'device', value });
    else if (!setting.asPeer) uses.push({ name: 'device', value, form: 'joined' });
    else if (setting.exists(value.slice(1).split(':')[0] ?? '')) uses.push({ name: 'device', value: value.slice(1) });
  }
}

function volatileTmp({ unit }: Referring, uses: OptionUse[]): void {
  if (readBoolean(unit, 'VolatileTmp') !== true || readBoolean(unit, 'ReadOnly') === true) return;
  uses.push({ name: 'tmpfs', value: '/tmp:rw,size=512M,mode=1777' });
}

function user({ unit }: Referring, uses: OptionUse[]): void {
  const name = readScalar(unit, 'User');
  const groupName = readScalar(unit, 'Group');
  if (name !== undefined) uses.push({ name: 'user', value: groupName === undefined ? name : `${name}:${groupName}` });
}

function group({ unit }: Referring): void {
  const item = lastItem(unit, 'Group');
  if (item !== undefined && item.value !== '' && readScalar(unit, 'User') === undefined) {
    failAt(unit, item.entry, 'conflict', 'invalid Group set without User', { hint: 'add User=' });
  }
}

function pod(from: Referring, uses: OptionUse[]): void {
  const { unit, draft, setting } = from;
  const item = lastItem(unit, 'Pod');
  if (item === undefined || item.value === '') return;
  if (!item.value.endsWith('.pod')) {
    failAt(unit, item.entry, 'wrong-reference', `pod ${item.value} is not Quadlet based`, {
      hint: 'write the name of a .pod file',
    });
    return;
  }
  const found = setting.graph.get(item.value);
  if (found === undefined) {
    const hint = `no ${item.value} was found in the search path`;
    failAt(unit, item.entry, 'reference', `quadlet pod unit ${item.value} does not exist`, { hint });
    return;
  }
  unit.references.push({ unit: found, entry: item.entry });
  uses.push({ name: 'pod', value: found.resource ?? '' });
  draft.tail.push(`BindsTo=${found.stem}.service`, `After=${found.stem}.service`);
  // The slice limits the sum of the pod. A specifier would mean another one here.
  const slice = lastEntry(found.service, 'Slice')?.value ?? '';
  if (slice !== '' && !slice.includes('%') && !setting.asPeer) defaultService(unit, draft, 'Slice', slice);
}
