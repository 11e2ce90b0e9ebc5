/**
 * Theory of operation: when the names of an account's networks are served, and its way out is there. A container in a network must not run before, and both are
 * started beside it. `network hold` (hold.ts) has the lock `naming` from before systemd learns that its unit is there; the file says who it is. `network names` ends it when
 * the server answers, or cannot be started, but not before the way out is there: for that hold has the lock `way-out`. A container waits for the first lock, after
 * everything that it can do meanwhile.
 */
import type { Host, Lock } from '../host/host.ts';
import { networkDirectory } from './ipam.ts';
import { isRun, unitName } from './namespace.ts';
import { procAddress } from './ports.ts';

const SIGTERM = 15;
/** For a server that does not answer; without one containers start all the same. */
const PATIENCE = 10_000;
/** Of these two: a unit that is being started again is not there for a moment. */
const LOOK = 200;

/** Of a server that does not come: its containers start all the same. */
const LISTENS = 2_000;
const STEP = 4;

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

/** Returns when nobody awaits names and way out any more: they are there, or will not be, which is false. */
export function awaitNames(host: Host): boolean {
  host.lock(lockPath(host), false, true)?.release();
  if (host.stat(waiterPath(host)) === undefined) return true;
  const unit = namesUnit(host);
  const systemctl = unit.includes('@') ? 'systemctl' : 'systemctl --user';
  host.write(2, `berth: warning: the names of the networks are not served: see ${systemctl} status ${unit}\n`);
  return false;
}

/**
 * netavark tells the server of a network by a signal, and does not wait. Until it listens on the addresses of IPv4 (or another does on all of them); the
 * kernel tells nobody of that. `pid`: a process in the namespace of the networks.
 */
export function awaitListening(host: Host, pid: number, servers: readonly string[] = []): void {
  const wanted = servers.filter(server => !server.includes(':')).map(procAddress);
  for (let waited = 0; waited < LISTENS; waited += STEP) {
    const sockets = host.readFileIfExists(`/proc/${pid}/net/udp`) ?? '';
    const listens = (address: string): boolean => sockets.includes(` ${address}:0035 `);
    if (listens('00000000') || wanted.every(listens)) return;
    host.poll([], STEP);
  }
}

const namesUnit = (host: Host): string => unitName(host).replace('netns', 'names');
