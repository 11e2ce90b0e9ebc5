import { RELOAD, RESTART, START, UNIT_STOP } from '../command/options-control.ts';
import { isSet, lastValue } from '../command/read.ts';
import type { Command, VerbRow } from '../command/types.ts';
import { HostError, type Bytes, type Host } from '../host/host.ts';
import type { Message } from '../systemd/message.ts';
import { managerCall } from '../systemd/transient.ts';
import { unitPath } from '../systemd/unit-path.ts';
import { answerTo, BusError, connectManager, post, waitForSignal, type Bus } from '../systemd/wire.ts';
import { commandLine } from './command-line.ts';
import { atEdge } from './edge.ts';
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
    const leave = (words: readonly Bytes[]): number => toNode(host, command, [member, String(began), ...words]);
    if (!isOwnManager(host, command)) return leave(command.operands);
    const jobs = command.operands.map(one => ({ unit: unitNameOf(host, one), path: '', result: '' }));
    follow(host, member, jobs);
    if (!jobs.every(job => WELL.has(job.result))) return leave(jobs.map(wordOf));
    if (!isSet(command, 'quiet')) host.write(1, jobs.map(job => `${job.unit}\n`).join(''));
    return 0;
  });
}

const WELL: ReadonlySet<string> = new Set(['done', 'skipped']);

function isOwnManager(host: Host, command: Command): boolean {
  const others = ['for', host.uid === 0 ? 'user' : 'system'];
  return others.every(name => lastValue(command, name) === undefined);
}

function wordOf(job: Job): string {
  return job.path === '' ? job.unit : `${job.unit}=${job.path}=${job.result}`;
}

function toNode(host: Host, command: Command, words: readonly Bytes[]): number {
  const options = command.options.filter(use => use.name !== 'latest').map(use => `--${use.name}=${use.value}`);
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
