import { DISABLE, ENABLE, MASK, UNMASK } from '../command/options-control.ts';
import { isSet } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { runJob, type Line } from '../systemd/jobs.ts';
import { changeLinks, reloadManager } from '../systemd/unit-files.ts';
import { unitProperties } from '../systemd/units.ts';
import { commandLine } from './command-line.ts';
import { complain } from './control.ts';
import { disableSource, enableSource, type Changed } from './enable-source.ts';
import { realmOf, withManager, type Realm } from './scope.ts';
import { failureLines } from './unit-failure.ts';
import { unitNameOf } from './unit-names.ts';

type Act = (line: Line, realm: Realm, unit: string, changed: Changed) => Promise<string>;

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
        const said = await verb.act(line, realm, unit, () => (changed = true));
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

async function enable(line: Line, realm: Realm, unit: string, changed: Changed): Promise<string> {
  return enableSource(realm, unit, changed) ?? unitFiles(line, unit, 'enable', changed);
}

async function disable(line: Line, realm: Realm, unit: string, changed: Changed): Promise<string> {
  return disableSource(realm, unit, changed) ?? unitFiles(line, unit, 'disable', changed);
}

async function mask(line: Line, _realm: Realm, unit: string, changed: Changed): Promise<string> {
  await changeLinks(line.bus, 'mask', unit);
  changed();
  return 'masked: no start is possible until `berth unmask`';
}

async function unmask(line: Line, _realm: Realm, unit: string, changed: Changed): Promise<string> {
  await changeLinks(line.bus, 'unmask', unit);
  changed();
  return 'unmasked';
}

/** A unit that is none of ours: systemd's own way. */
async function unitFiles(line: Line, unit: string, what: 'enable' | 'disable', changed: Changed): Promise<string> {
  const { loadState, unitFileState } = await unitProperties(line.bus, unit);
  if (loadState === 'not-found') throw new Failure(5, `${unit}: there is no such unit`);
  if (['static', 'transient', 'generated'].includes(unitFileState))
    throw new Failure(1, `${unit}: it is ${unitFileState}: it has no [Install] that could be used`);
  await changeLinks(line.bus, what, unit);
  changed();
  return `${what}d`;
}
