/**
 * Theory of operation: when the names of an account's networks are served, and its way out is there. A container in a network must not run before, and both are
 * started beside it. `network hold` (hold.ts) has the lock `naming` from before systemd learns that its unit is there; the file says who it is. `network names` ends it when
 * the server answers, or cannot be started, but not before the way out is there: for that hold has the lock `way-out`. A container waits for the first lock, after
 * everything that it can do meanwhile.
 */
import type { Host, Lock } from '../host/host.ts';
import { networkDirectory } from './ipam.ts';
import { isRun, unitName } from './namespace.ts';

const SIGTERM = 15;
/** For a server that does not answer; without one containers start all the same. */
const PATIENCE = 10_000;
/** Of these two: a unit that is being started again is not there for a moment. */
const LOOK = 200;

const lockPath = (host: Host): string => `${networkDirectory(host)}/naming`;
const wayOutPath = (host: Host): string => `${networkDirectory(host)}/way-out`;
const waiterPath = (host: Host): string => `${networkDirectory(host)}/naming.json`;

/** From now on until this process ends the names are awaited; the lock is to be released when the way out is there. */
export function announceNames(host: Host): Lock {
  host.mkdirs(networkDirectory(host), 0o700);
  host.lock(lockPath(host), true, true);
  const way = host.lock(wayOutPath(host), true, true);
  const waiter = { pid: host.pid, startTime: host.startTime(host.pid) };
  host.writeFileAtomic(waiterPath(host), JSON.stringify(waiter), 0o600);
  return way as Lock;
}

/** Until `endWait`, or until it is seen that systemd does not run the unit of the names: it is masked, or has failed. */
export function waitForNames(host: Host): void {
  let absent = 0;
  for (let waited = 0; waited < PATIENCE && absent < 2; waited += LOOK) {
    host.poll([], LOOK);
    absent = isRun(host, namesUnit(host)) || isQueued(host) ? 0 : absent + 1;
  }
}

/** systemd, which may be busy with other units or be reloading, has not come to it yet. */
function isQueued(host: Host): boolean {
  const unit = namesUnit(host);
  const argv = ['systemctl', ...(unit.includes('@') ? [] : ['--user']), 'show', '-P', 'Job', unit];
  return (
    host.run({ argv, environment: host.environmentList(), stdout: 'capture', timeout: PATIENCE }).stdout.trim() !== ''
  );
}

/** Names are served, or will not be. */
export function endWait(host: Host): void {
  const text = host.readFileIfExists(waiterPath(host));
  if (text === undefined) return;
  host.lock(wayOutPath(host), false, true)?.release();
  host.unlink(waiterPath(host));
  const { pid, startTime } = JSON.parse(text) as { pid: number; startTime?: string };
  const fd = host.openProcess(pid);
  if (fd === undefined) return;
  if (host.startTime(pid) === startTime) host.signal(fd, SIGTERM);
  host.close(fd);
}

/** Returns when nobody awaits names and way out any more: they are there, or will not be. */
export function awaitNames(host: Host): void {
  host.lock(lockPath(host), false, true)?.release();
  if (host.stat(waiterPath(host)) === undefined) return;
  const unit = namesUnit(host);
  const systemctl = unit.includes('@') ? 'systemctl' : 'systemctl --user';
  host.write(2, `berth: warning: the names of the networks are not served: see ${systemctl} status ${unit}\n`);
}

const namesUnit = (host: Host): string => unitName(host).replace('netns', 'names');
