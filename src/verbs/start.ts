import { RELOAD, RESTART, START, UNIT_JOB, UNIT_STOP } from '../command/options-control.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command, OptionUse, VerbRow } from '../command/types.ts';
import { HostError, type Bytes, type Host } from '../host/host.ts';
import { findNamed, isAlive, requireContainer } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import type { Message } from '../systemd/message.ts';
import { managerCall } from '../systemd/transient.ts';
import { unitPath } from '../systemd/unit-path.ts';
import { answerTo, BusError, connectManager, post, waitForSignal, type Bus } from '../systemd/wire.ts';
import { commandLine } from './command-line.ts';
import { atEdge } from './edge.ts';
import { selectContainers } from './select.ts';
import { unitNameOf } from './unit-names.ts';

/** The first words of these verbs, and the job that each asks for. */
const JOBS: Readonly<Record<string, { row: VerbRow; member: string }>> = {
  start: { row: START, member: 'StartUnit' },
  restart: { row: RESTART, member: 'RestartUnit' },
  reload: { row: RELOAD, member: 'ReloadUnit' },
  unit: { row: UNIT_STOP, member: 'StopUnit' },
};

/** What is known of one job: empty while it is not. */
interface Job {
  readonly unit: string;
  path: string;
  result: string;
}

/**
 * `berth start|stop|restart|reload NAME…`: jobs of the own manager, followed to their end without Node. Whatever is not plain goes to
 * Node's half, with what is known (`unit-job`): another's manager, polkit, a job that failed and must be explained, a bus that went away.
 */
export function main(host: Host): number {
  const began = host.monotonic();
  const word = host.argv.slice(1).find(one => JOBS[one] !== undefined) ?? 'start';
  const { row, member } = JOBS[word] ?? { row: START, member: 'StartUnit' };
  return atEdge(host, () => {
    const command = commandLine(host, row);
    if (typeof command === 'number') return command;
    if (isSet(command, 'attach') || isSet(command, 'interactive')) return startAttached(host, command);
    refuseOthers(host, command);
    const named = namedBy(host, command, word);
    if (lastValue(command, 'time') === undefined) return manage(host, member, named, began);
    const stopped = stopFirst(host, named);
    const started = manage(host, 'StartUnit', stopped.command, began);
    return stopped.status === 0 ? started : stopped.status;
  });
}

/** What these mean is known of our own containers alone. */
function refuseOthers(host: Host, command: Command): void {
  const option = ['all', 'filter', 'running', 'time'].find(name => lastValue(command, name) !== undefined);
  if (option !== undefined && !isOwnManager(host, command))
    throw new Failure(125, `--${option} is for containers of the own account; ask as their owner`);
}

function manage(host: Host, member: string, command: Command, began: number): number {
  const leave = (words: readonly Bytes[]): number => toNode(host, command, [member, String(began), ...words]);
  if (!isOwnManager(host, command)) return leave(command.operands);
  const jobs = command.operands.map(one => ({ unit: unitNameOf(host, one), path: '', result: '' }));
  follow(host, member, jobs);
  const gone = jobs.length > 0 && jobs.every(job => job.result === GONE);
  if (gone && isSet(command, 'quiet')) return NOT_FOUND; // run/ending.ts asked
  if (!jobs.every(job => WELL.has(job.result))) return leave(jobs.map(wordOf));
  if (!isSet(command, 'quiet')) host.write(1, jobs.map(job => `${job.unit}\n`).join(''));
  return 0;
}

/** With the containers of --all, --running and --filter as names. */
function namedBy(host: Host, command: Command, word: string): Command {
  const running = isSet(command, 'running');
  const all = running || isSet(command, 'all');
  if (!all && lastValue(command, 'filter') === undefined && command.operands.length > 0) return command;
  const options = running ? [...command.options, ALL] : command.options;
  const names = selectContainers(host, { ...command, options });
  const chosen = !running && word !== 'start' ? names : names.filter(name => runs(host, name) === running);
  return { ...command, operands: chosen };
}

const ALL: OptionUse = { name: 'all', value: 'true', form: 'flag' };

function runs(host: Host, name: string): boolean {
  const state = findNamed(host, name)?.state;
  return state !== undefined && isAlive(host, state);
}

/**
 * `restart --time`: only our own stop knows another time than the unit's. Units of the containers, to be started again; what could not be
 * stopped has said so and is none of them.
 */
function stopFirst(host: Host, command: Command): { command: Command; status: number } {
  const found = command.operands.map(one => ({ ...requireContainer(host, one), unit: unitNameOf(host, one) }));
  const names = found.filter(({ state }) => isAlive(host, state)).map(({ name }) => name);
  const time = lastValue(command, 'time') ?? '';
  const argv = [host.readlink('/proc/self/exe'), 'stop', `--time=${time}`, '--', ...names];
  const status =
    names.length === 0 ? 0 : (host.run({ argv, environment: host.environmentList(), stdout: 'capture' }).status ?? 125);
  const units = found.filter(({ state }) => !isAlive(host, state)).map(({ unit }) => unit);
  return { command: { ...command, operands: units }, status };
}

/** Node's half follows it: one container that is there, of our own manager. */
function startAttached(host: Host, command: Command): number {
  const [name = '', ...others] = command.operands;
  if (name === '' || others.length > 0 || !isOwnManager(host, command))
    throw new Failure(125, '--attach is for one container of the own manager');
  const options = command.options.filter(({ name }) => OF_ATTACHED.has(name)).map(use => `--${use.name}=${use.value}`);
  const argv = [host.readlink('/proc/self/exe'), 'start-attached', ...options, '--', name];
  return host.exec(argv, host.environmentList());
}

const OF_ATTACHED: ReadonlySet<string> = new Set(['detach-keys', 'interactive', 'sig-proxy']);

/** Of a stop: there is no such unit. */
const GONE = 'gone';
const NOT_FOUND = 5;

const WELL: ReadonlySet<string> = new Set(['done', 'skipped']);

function isOwnManager(host: Host, command: Command): boolean {
  const others = ['for', host.uid === 0 ? 'user' : 'system'];
  return others.every(name => lastValue(command, name) === undefined);
}

function wordOf(job: Job): string {
  return job.path === '' ? job.unit : `${job.unit}=${job.path}=${job.result}`;
}

const OF_JOB: ReadonlySet<string> = new Set(UNIT_JOB.options.map(option => option.name));

function toNode(host: Host, command: Command, words: readonly Bytes[]): number {
  const options = command.options.filter(use => OF_JOB.has(use.name)).map(use => `--${use.name}=${use.value}`);
  return host.exec([host.readlink('/proc/self/exe'), 'unit-job', ...options, '--', ...words], host.environmentList());
}

/** All at once, as systemctl does it: the manager orders them. What a connection that ended left open stays empty. */
function follow(host: Host, member: string, jobs: readonly Job[]): void {
  let bus: Bus | undefined;
  try {
    bus = connectManager(host, host.uid === 0 ? 'system' : 'user');
    if (ask(bus, member, jobs)) waitForAll(host, bus, jobs);
  } catch (error) {
    if (!(error instanceof BusError) && !(error instanceof HostError)) throw error;
  } finally {
    if (bus !== undefined) host.close(bus.fd);
  }
}

/** False when one of them was refused: who explains that follows the others, too. */
function ask(bus: Bus, member: string, jobs: readonly Job[]): boolean {
  const call = (unit: string): number =>
    post(bus, { ...managerCall(member), signature: 'ss', values: [unit, 'replace'] });
  const asked = jobs.map(job => ({ job, serial: call(job.unit) }));
  let taken = true;
  for (const { job, serial } of asked) {
    try {
      job.path = String(answerTo(bus, serial)[0]);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (member === 'StopUnit' && error.name.endsWith('.NoSuchUnit')) job.result = GONE;
      taken = false;
    }
  }
  return taken;
}

function waitForAll(host: Host, bus: Bus, jobs: readonly Job[]): void {
  const shows = host.isTerminal(2) ? progressOf(host, jobs) : undefined;
  while (jobs.some(job => job.result === '')) {
    const removed = waitForSignal(bus, message => {
      shows?.(message);
      return message.member === 'JobRemoved';
    });
    // Two names may have been one unit, and then are one job.
    for (const job of jobs) if (job.path === removed.values[1]) job.result = String(removed.values[3]);
  }
  if (shows !== undefined) host.write(2, '\r\x1b[K');
}

/** As progress.ts: the status texts of the units stand in the last line of a terminal. */
function progressOf(host: Host, jobs: readonly Job[]): (message: Message) => void {
  const names = new Map(jobs.map(({ unit }) => [unitPath(unit), unit]));
  return ({ member, path, values }) => {
    const unit = names.get(path);
    const changed = values[1];
    if (unit === undefined || member !== 'PropertiesChanged' || !Array.isArray(changed)) return;
    const status = (changed as [string, [string, unknown]][]).find(([key]) => key === 'StatusText')?.[1][1];
    if (typeof status === 'string' && status !== '') host.write(2, `\r\x1b[K${unit}: ${shown(status)}`);
  };
}

const SHORT = 50;

/** What a payload wrote cannot move the cursor (T28), nor wrap the line of an ordinary terminal. */
function shown(status: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return status.replace(/[\x00-\x1f\x7f]/g, '?').slice(0, SHORT);
}
