import { DAEMON_RELOAD, UNIT_JOB } from '../command/options-control.ts';
import { isSet } from '../command/read.ts';
import type { Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { ControlError } from '../systemd/bus.ts';
import { runJob, steadily, type JobResult, type JobVerb, type Line } from '../systemd/jobs.ts';
import { reloadManager } from '../systemd/unit-files.ts';
import { unitProperties } from '../systemd/units.ts';
import { commandLine, printable } from './command-line.ts';
import { startAgain, startedInVain } from './start-again.ts';
import { withProgress } from './progress.ts';
import { realmOf, realmOfUnits, withManager, type Realm } from './scope.ts';
import { failureLines } from './unit-failure.ts';
import { unitNameOf } from './unit-names.ts';

/** Exit statuses, as systemctl(1) has them. */
const FAILED = 1;
const NOT_FOUND = 5;
/** As of every verb that wants a container. */
const NO_CONTAINER = 125;

const JOBS: readonly JobVerb[] = ['StartUnit', 'StopUnit', 'RestartUnit', 'ReloadUnit'];

/** What a job is about, and what is known of it from before: see UNIT_JOB. */
interface Known {
  readonly unit: string;
  readonly path: string | undefined;
  readonly result: string;
}

/** `daemon-reload`, and what the native half of `start|stop|restart|reload` leaves: jobs of the manager, followed to their end. */
export async function main(host: Host): Promise<number> {
  const reloads = host.argv.find(one => one === 'daemon-reload' || one === UNIT_JOB.name) === 'daemon-reload';
  const command = commandLine(host, reloads ? DAEMON_RELOAD : UNIT_JOB);
  if (typeof command === 'number') return command;
  const realm = realmOf(host, command);
  if (typeof realm === 'number') return realm;
  if (reloads) return withManager(realm, reload);
  const [word, began, ...words] = command.operands;
  const verb = JOBS.find(one => one === word);
  if (verb === undefined) throw new Failure(125, `${word ?? ''}: this is no job`);
  const known = words.map(one => knownOf(realm.host, one));
  refuseSystems(
    realm,
    known.map(one => one.unit),
  );
  const asked = { verb, began: Number(began), quiet: isSet(command, 'quiet') };
  return withManager(realm, line => control(line, realm, asked, known));
}

function knownOf(host: Host, word: string): Known {
  const [name = '', path, result = ''] = word.split('=');
  return { unit: path === undefined ? unitNameOf(host, name) : name, path, result };
}

/** The account's own manager does not have them, and may not run at all. */
function refuseSystems(realm: Realm, units: readonly string[]): void {
  if (realm.scope.kind === 'system') return;
  const unit = units.find(one => realmOfUnits(realm, [one]).scope.kind === 'system');
  if (unit !== undefined)
    throw new Failure(125, `${unit}: a unit of the system, with User=; ask as root, without --for and --user`);
}

const STARTS: ReadonlySet<JobVerb> = new Set(['StartUnit', 'RestartUnit']);

interface Asked {
  readonly verb: JobVerb;
  /** CLOCK_MONOTONIC in microseconds. */
  readonly began: number;
  readonly quiet: boolean;
}

async function reload({ bus }: Line): Promise<number> {
  await reloadManager(bus);
  return 0;
}

/** All at once, as systemctl does it: the manager orders them. The first failure's status. */
async function control(line: Line, realm: Realm, asked: Asked, known: readonly Known[]): Promise<number> {
  const units = known.map(one => one.unit);
  const one = (job: Known): Promise<number> => controlOne(line, realm, asked, job);
  const statuses = await withProgress(realm.host, line.bus, units, () => Promise.all(known.map(one)));
  return statuses.find(status => status !== 0) ?? 0;
}

async function controlOne(line: Line, realm: Realm, asked: Asked, { unit, path, result }: Known): Promise<number> {
  const { loadState, activeState } = await steadily(line, bus => unitProperties(bus, unit));
  if (loadState === 'not-found' && activeState === 'inactive' && asked.verb === 'StopUnit') {
    if (asked.quiet) return NOT_FOUND; // run/ending.ts knows what to do then
    const named = unit.replace(/\.service$/, '');
    complain(realm.host, [`${named}: no such container, and there is no unit ${unit}`]);
    return NO_CONTAINER;
  }
  if (loadState === 'not-found' && STARTS.has(asked.verb) && path === undefined) {
    const { status, lines } = await startAgain(line, realm, unit);
    complain(realm.host, lines);
    if (status === 0 && !asked.quiet) realm.host.write(1, `${unit}\n`);
    return status;
  }
  if (path === undefined && loadState !== 'loaded' && asked.verb !== 'StopUnit') {
    complain(realm.host, await failureLines(line.bus, realm, unit, 'failed'));
    return loadState === 'not-found' ? NOT_FOUND : FAILED;
  }
  const end = result === '' ? await jobOf(line, asked.verb, unit, path) : result;
  if (end === 'done' || end === 'skipped') {
    if (!asked.quiet) realm.host.write(1, `${unit}\n`);
    return 0;
  }
  complain(realm.host, await whyFailed(line, realm, asked, unit, end));
  return FAILED;
}

/** A unit without a file is forgotten with its failed start: it is not made once more to find out. */
async function whyFailed(line: Line, realm: Realm, asked: Asked, unit: string, end: JobResult): Promise<string[]> {
  if (!STARTS.has(asked.verb)) return failureLines(line.bus, realm, unit, end);
  const { loadState } = await steadily(line, bus => unitProperties(bus, unit));
  if (loadState !== 'not-found') return failureLines(line.bus, realm, unit, end, asked.began);
  const ago = asked.began === 0 ? 0 : (realm.host.monotonic() - asked.began) / 1_000_000;
  return startedInVain(realm, unit, end, Date.now() / 1000 - ago);
}

/** What the manager says may be of a unit that this one requires: then both are named. */
async function jobOf(...[line, verb, unit, path]: Parameters<typeof runJob>): Promise<JobResult> {
  try {
    return await runJob(line, verb, unit, path);
  } catch (error) {
    if (!(error instanceof ControlError) || !/\.(NoSuchUnit|LoadFailed|BadUnitSetting|UnitMasked)$/.test(error.name))
      throw error;
    const { message } = error;
    throw message.includes(unit)
      ? error
      : new ControlError(error.name, `${unit} needs what cannot be started: ${message}`);
  }
}

/** The first line is the error, the others are what belongs to it. */
export function complain(host: Host, lines: readonly string[]): void {
  host.write(2, lines.map(line => (line.startsWith(' ') ? `${line}\n` : `berth: ${printable(line)}\n`)).join(''));
}
