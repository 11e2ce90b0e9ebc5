import { DISABLE, ENABLE, MASK, UNMASK } from '../command/options-control.ts';
import { isSet } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import type { Unit } from '../quadlet/model.ts';
import { installLinks } from '../quadlet/install.ts';
import { dropInNames, isTemplate, serviceStem } from '../unit/names.ts';
import { runJob, type Line } from '../systemd/jobs.ts';
import { changeLinks, reloadManager } from '../systemd/unit-files.ts';
import { unitProperties } from '../systemd/units.ts';
import { commandLine } from './command-line.ts';
import { complain } from './control.ts';
import { allUnits, installDirectory } from './quadlet-units.ts';
import { realmOf, withManager, type Realm } from './scope.ts';
import { failureLines } from './unit-failure.ts';
import { sourceOf, unitNameOf } from './unit-names.ts';

type Act = (line: Line, realm: Realm, unit: string) => Promise<string>;

const ACTS: Readonly<Record<string, { row: VerbRow; act: Act; now?: 'StartUnit' | 'StopUnit' }>> = {
  enable: { row: ENABLE, act: enable, now: 'StartUnit' },
  disable: { row: DISABLE, act: disable, now: 'StopUnit' },
  mask: { row: MASK, act: mask, now: 'StopUnit' },
  unmask: { row: UNMASK, act: unmask },
};

/**
 * `berth enable|disable|mask|unmask`. systemd refuses to enable a generated unit: what starts it at boot is [Install] in its
 * source. So a drop-in of the source carries [Install], or empties it. Each line printed says what was done.
 */
export async function main(host: Host): Promise<number> {
  const verb = ACTS[host.argv.slice(1).find(one => ACTS[one] !== undefined) ?? ''];
  if (verb === undefined) throw new Failure(125, 'no verb of units');
  const command = commandLine(host, verb.row);
  if (typeof command === 'number') return command;
  const realm = realmOf(host, command);
  if (typeof realm === 'number') return realm;
  const units = command.operands.map(operand => unitNameOf(realm.host, operand));
  return withManager(realm, async line => {
    let changed = false;
    try {
      for (const unit of units) {
        const said = await verb.act(line, realm, unit);
        changed ||= !said.startsWith('already');
        host.write(1, `${unit}: ${said}\n`);
      }
    } finally {
      // Also what was done before one failed must count.
      if (changed) await reloadManager(line.bus);
    }
    return verb.now === undefined || !isNow(command) ? 0 : follow(line, realm, verb.now, units);
  });
}

function isNow(command: Command): boolean {
  return isSet(command, 'now');
}

async function follow(
  line: Line,
  realm: Realm,
  job: 'StartUnit' | 'StopUnit',
  units: readonly string[],
): Promise<number> {
  let status = 0;
  for (const unit of units) {
    const result = await runJob(line, job, unit);
    if (result === 'done' || result === 'skipped') continue;
    complain(realm.host, await failureLines(line.bus, realm, unit, result));
    status = 1;
  }
  return status;
}

const ENABLING = '50-berth-enable.conf';
const DISABLING = '50-berth-disable.conf';

async function enable(line: Line, realm: Realm, unit: string): Promise<string> {
  const source = sourceOf(filesOf(realm), unit);
  if (source === undefined) return unitFiles(line, unit, 'enable');
  const removed = removeDropIn(realm, source.name, DISABLING);
  const present = removed === undefined ? source : sourceOf(filesOf(realm), unit);
  const starts = present !== undefined && startsIt(present);
  if (starts)
    return removed === undefined ? `already enabled by [Install] of ${source.path}` : `enabled: removed ${removed}`;
  if (isTemplate(source.name) && !unit.includes('@.'))
    throw new Failure(
      1,
      `${unit}: make a link ${instanceFile(unit, source.name.name)} to ${source.path}: an instance is enabled by its name`,
    );
  const target = realm.scope.kind === 'system' ? 'multi-user.target' : 'default.target';
  const wrote = writeDropIn(realm, source.name, ENABLING, `[Install]\nWantedBy=${target}\n`);
  return `enabled: ${removed === undefined ? '' : `removed ${removed}, `}wrote ${wrote}, starts with ${target}`;
}

/** Another name of Alias= starts nothing by itself, unless it is one in such a directory. */
function startsIt(source: Unit): boolean {
  return installLinks(source).some(({ path }) => /\.(wants|requires|upholds)\//.test(path));
}

function filesOf({ host }: Realm): Unit[] {
  return allUnits(host).map(({ unit }) => unit);
}

async function disable(line: Line, realm: Realm, unit: string): Promise<string> {
  const source = sourceOf(filesOf(realm), unit);
  if (source === undefined) return unitFiles(line, unit, 'disable');
  if (startsIt({ ...source, install: source.install.filter(({ key }) => key === 'Alias') }))
    throw new Failure(1, `${unit}: an Alias= of ${source.path} starts it: take that out`);
  const removed = removeDropIn(realm, source.name, ENABLING);
  const present = removed === undefined ? source : sourceOf(filesOf(realm), unit);
  if (present === undefined || !startsIt(present))
    return removed === undefined
      ? 'already disabled: nothing in its [Install] starts it'
      : `disabled: removed ${removed}`;
  const wrote = writeDropIn(realm, source.name, DISABLING, '[Install]\nWantedBy=\nRequiredBy=\nUpheldBy=\n');
  return `disabled: ${removed === undefined ? '' : `removed ${removed}, `}wrote ${wrote}, which empties [Install] of ${source.path}`;
}

async function mask(line: Line, _realm: Realm, unit: string): Promise<string> {
  await changeLinks(line.bus, 'mask', unit);
  return 'masked: no start is possible until `berth unmask`';
}

async function unmask(line: Line, _realm: Realm, unit: string): Promise<string> {
  await changeLinks(line.bus, 'unmask', unit);
  return 'unmasked';
}

/** A unit that is none of ours: systemd's own way. */
async function unitFiles(line: Line, unit: string, what: 'enable' | 'disable'): Promise<string> {
  const { loadState, unitFileState } = await unitProperties(line.bus, unit);
  if (loadState === 'not-found') throw new Failure(5, `${unit}: there is no such unit`);
  if (['static', 'transient', 'generated'].includes(unitFileState))
    throw new Failure(1, `${unit}: it is ${unitFileState}: it has no [Install] that could be used`);
  await changeLinks(line.bus, what, unit);
  return `${what}d`;
}

type Name = Parameters<typeof dropInNames>[0];

function dropInPath(realm: Realm, name: Name, file: string): Bytes {
  return `${installDirectory(realm.host)}/${dropInNames(name)[0] ?? ''}/${file}`;
}

function writeDropIn(realm: Realm, name: Name, file: string, text: string): Bytes {
  const path = dropInPath(realm, name, file);
  const { host, scope } = realm;
  if (scope.kind === 'user' && scope.uid !== host.euid)
    throw new Failure(125, `${serviceStem(name)}: files of an account are the account's: run it as uid ${scope.uid}`);
  host.mkdirs(path.slice(0, path.lastIndexOf('/')), 0o755);
  host.writeFileAtomic(path, text, 0o644);
  return path;
}

/** Its directory goes with it when nothing else is in it. */
function removeDropIn(realm: Realm, name: Name, file: string): Bytes | undefined {
  const path = dropInPath(realm, name, file);
  if (realm.host.lstat(path) === undefined) return undefined;
  realm.host.unlink(path);
  const directory = path.slice(0, path.lastIndexOf('/'));
  if (realm.host.list(directory).length === 0) realm.host.rmdir(directory);
  return path;
}

function instanceFile(unit: string, template: Bytes): Bytes {
  const instance = unit.slice(unit.indexOf('@') + 1).replace(/\.service$/, '');
  return template.replace('@.', `@${instance}.`);
}
