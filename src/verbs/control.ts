import { DAEMON_RELOAD, RELOAD, RESTART, START, UNIT_STOP } from '../command/options-control.ts';
import { isSet } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { runJob, type JobVerb, type Line } from '../systemd/jobs.ts';
import { unitProperties } from '../systemd/units.ts';
import { commandLine, printable } from './command-line.ts';
import { withProgress } from './progress.ts';
import { realmOf, withManager, type Realm } from './scope.ts';
import { failureLines } from './unit-failure.ts';
import { unitNameOf } from './unit-names.ts';

/** Exit statuses, as systemctl(1) has them. */
const FAILED = 1;
const NOT_FOUND = 5;

const JOBS: Readonly<Record<string, { row: VerbRow; job: JobVerb }>> = {
  start: { row: START, job: 'StartUnit' },
  'unit-stop': { row: UNIT_STOP, job: 'StopUnit' },
  restart: { row: RESTART, job: 'RestartUnit' },
  reload: { row: RELOAD, job: 'ReloadUnit' },
};

/** `berth start|stop|restart|reload NAME…` and `daemon-reload`: jobs of the manager, followed to their end. */
export async function main(host: Host): Promise<number> {
  const word = host.argv.slice(1).find(one => JOBS[one] !== undefined || one === 'daemon-reload') ?? '';
  const verb = JOBS[word];
  const command = commandLine(host, verb?.row ?? DAEMON_RELOAD);
  if (typeof command === 'number') return command;
  const realm = realmOf(host, command);
  if (typeof realm === 'number') return realm;
  if (verb === undefined) return withManager(realm, reload);
  const units = command.operands.map(operand => unitNameOf(realm.host, operand));
  return withManager(realm, line => control(line, realm, verb.job, units, command));
}

/** A reload runs every generator: it may take as long as they do. */
async function reload({ bus }: Line): Promise<number> {
  await bus.call({ member: 'Reload', timeout: 120_000 });
  return 0;
}

/** All at once, as systemctl does it: the manager orders them. The first failure's status. */
async function control(
  line: Line,
  realm: Realm,
  job: JobVerb,
  units: readonly string[],
  command: Command,
): Promise<number> {
  const one = (unit: string): Promise<number> => controlOne(line, realm, job, unit, isSet(command, 'quiet'));
  const statuses = await withProgress(realm.host, line.bus, units, () => Promise.all(units.map(one)));
  return statuses.find(status => status !== 0) ?? 0;
}

async function controlOne(line: Line, realm: Realm, job: JobVerb, unit: string, quiet: boolean): Promise<number> {
  const { loadState } = await unitProperties(line.bus, unit);
  if (loadState !== 'loaded' && job !== 'StopUnit') {
    complain(realm.host, await failureLines(line.bus, realm, unit, 'failed'));
    return loadState === 'not-found' ? NOT_FOUND : FAILED;
  }
  const result = await runJob(line, job, unit);
  if (result === 'done' || result === 'skipped') {
    if (!quiet) realm.host.write(1, `${unit}\n`);
    return 0;
  }
  complain(realm.host, await failureLines(line.bus, realm, unit, result));
  return FAILED;
}

/** The first line is the error, the others are what belongs to it. */
export function complain(host: Host, lines: readonly string[]): void {
  host.write(2, lines.map(line => (line.startsWith(' ') ? `${line}\n` : `berth: ${printable(line)}\n`)).join(''));
}
