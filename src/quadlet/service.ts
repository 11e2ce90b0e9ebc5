import { render, type RenderedVerb } from '../command/render.ts';
import type { Command, OptionUse } from '../command/types.ts';
import type { Bytes } from '../host/host.ts';
import { lastEntry, replaceEntry } from '../unit/document.ts';
import { scalar } from '../unit/values.ts';
import { execLine, quoteWord } from '../unit/write.ts';
import { failAt, type Draft, type Setting, type Unit } from './model.ts';
import { readArguments, readList } from './read.ts';

/** The part of every command of a unit in front of the verb. */
export interface CommandBase {
  readonly program: Bytes;
  readonly globals: readonly OptionUse[];
  readonly globalWords: readonly Bytes[];
  /** The command that removes a container, without its name, when it was rendered already. */
  remove?: Bytes;
}

/** Units without global options share one. */
let shared: CommandBase | undefined;

export function commandBase(unit: Unit, { program }: Setting): CommandBase {
  const { present } = unit;
  if (!present.has('ContainersConfModule') && !present.has('GlobalArgs')) {
    if (shared?.program !== program) shared = { program, globals: [], globalWords: [] };
    return shared;
  }
  return {
    program,
    globals: readList(unit, 'ContainersConfModule').map(item => ({
      name: 'module',
      value: item.value,
      form: 'joined',
    })),
    globalWords: readArguments(unit, 'GlobalArgs').map(item => item.value),
  };
}

/** Words of PodmanArgs=. */
export function argumentWords(unit: Unit): Bytes[] {
  if (!unit.present.has('PodmanArgs')) return NONE;
  return readArguments(unit, 'PodmanArgs').map(item => item.value);
}

const NONE: Bytes[] = [];

/** The text of an Exec line: `PROGRAM …`. */
export function commandLine(
  base: CommandBase,
  row: RenderedVerb,
  command: Omit<Command, 'globals' | 'globalWords' | 'verb'>,
): Bytes {
  const words = render({ ...command, globals: base.globals, globalWords: base.globalWords, verb: row.name }, row);
  return `${base.program} ${execLine(words)}`;
}

/** The last value of a key of [Service]; undefined when absent. */
export function serviceValue(unit: Unit, key: string): Bytes | undefined {
  const entry = lastEntry(unit.service, key);
  return entry === undefined ? undefined : scalar(entry.value);
}

/** Replaces the last assignment of a key of [Service], or adds one. */
export function setService(unit: Unit, draft: Draft, key: string, value: Bytes): void {
  const entry = lastEntry(unit.service, key);
  if (entry === undefined) draft.lines.push(`${key}=${value}`);
  else replaceEntry(entry, `${key}=${value}`);
}

/** Adds a line to [Service] unless the source has the key. */
export function defaultService(unit: Unit, draft: Draft, key: string, value: Bytes): void {
  if (lastEntry(unit.service, key) === undefined) draft.lines.push(`${key}=${value}`);
}

/** KillMode=: what a unit of containers can bear. */
export function killMode(unit: Unit, draft: Draft): void {
  const entry = lastEntry(unit.service, 'KillMode');
  if (entry === undefined) draft.lines.push('KillMode=mixed');
  else if (entry.value !== 'mixed' && entry.value !== 'control-group') {
    failAt(unit, entry, 'kill-mode', `invalid KillMode '${entry.value}'`, { hint: 'write mixed or control-group' });
  }
}

/** Type= of containers and kube units: true when it is `oneshot`. */
export function notifyType(unit: Unit, draft: Draft): boolean {
  const entry = lastEntry(unit.service, 'Type');
  if (entry?.value === 'oneshot') return true;
  if (entry !== undefined && entry.value !== 'notify') {
    failAt(unit, entry, 'type', `invalid service Type '${entry.value}'`, { hint: 'write notify or oneshot' });
  }
  setService(unit, draft, 'Type', 'notify');
  setService(unit, draft, 'NotifyAccess', 'all');
  return false;
}

/** The service that holds a unit's name for the commands. */
export const UNIT_VARIABLE = 'Environment=PODMAN_SYSTEMD_UNIT=%n';

/** Type=oneshot with the lines that go with it, for volumes, networks, images, artifacts and builds. */
export function oneShot(unit: Unit, draft: Draft, remain: boolean): void {
  defaultService(unit, draft, 'Type', 'oneshot');
  if (remain) defaultService(unit, draft, 'RemainAfterExit', 'yes');
  defaultService(unit, draft, 'SyslogIdentifier', '%N');
}

/** `Requires=` and `After=` a service of ours. */
export function depend(draft: Draft, stem: Bytes): void {
  draft.tail.push(`Requires=${stem}.service`, `After=${stem}.service`);
}

/** A path that must be mounted before the service starts; `%` in it is for systemd. */
export function needMount(draft: Draft, path: Bytes): void {
  draft.tail.push(`RequiresMountsFor=${quoteWord(path)}`);
}

/** A flag: `--name`, or `--name=false`. */
export function flagUse(name: string, value: boolean): OptionUse {
  return value ? { name, value: 'true', form: 'flag' } : { name, value: 'false', form: 'joined' };
}
