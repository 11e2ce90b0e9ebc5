import { SYSTEM_WAIT } from '../command/options-admin.ts';
import { HostError, type Host } from '../host/host.ts';
import { Failure } from '../run/failure.ts';
import { call, connectManager, waitForSignal, type Bus } from '../systemd/wire.ts';
import { commandLine, printable } from './command-line.ts';

const TARGET = 'network-online.target';
const MANAGER = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' };

/** As long as the unit of the peer waits. */
const LIMIT_USEC = 90_000_000;

/**
 * What user units wait for: until the system manager's network-online.target is active, or nothing is on its way to it. Told by the manager's signal
 * at the end of each job. It never makes a start fail: whatever goes wrong is one line, and status 0.
 */
export function main(host: Host): number {
  const command = commandLine(host, SYSTEM_WAIT);
  if (typeof command === 'number') return command;
  try {
    const bus = connectManager(host, 'system');
    const end = host.monotonic() + LIMIT_USEC;
    while (isOnItsWay(bus)) {
      if (waitForChange(host, bus, end)) continue;
      host.write(2, `berth: ${TARGET} is still not reached after 90 s: not waiting any longer\n`);
      break;
    }
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof HostError)) throw error;
    host.write(2, `berth: not waiting for ${TARGET}: ${printable(error.message)}\n`);
  }
  return 0;
}

/** Not active, and a job is queued that will make it so. */
function isOnItsWay(bus: Bus): boolean {
  const [unit] = call(bus, { ...MANAGER, member: 'LoadUnit', signature: 's', values: [TARGET] });
  const path = String(unit);
  if (property(bus, path, 'ActiveState') === 'active') return false;
  const job = property(bus, path, 'Job');
  return Array.isArray(job) && Number(job[0]) !== 0;
}

function property(bus: Bus, path: string, name: string): unknown {
  const values = ['org.freedesktop.systemd1.Unit', name];
  const get = { path, interface: 'org.freedesktop.DBus.Properties', member: 'Get', signature: 'ss', values };
  const [variant] = call(bus, get);
  return Array.isArray(variant) ? (variant[1] as unknown) : undefined;
}

/** False when nothing came before `end` (microseconds of the monotonic clock). */
function waitForChange(host: Host, bus: Bus, end: number): boolean {
  if (bus.signals.length === 0 && bus.buffer === '') {
    const left = Math.max(Math.ceil((end - host.monotonic()) / 1000), 0);
    if (host.poll([bus.fd], left).length === 0) return false;
  }
  waitForSignal(bus, () => true);
  return host.monotonic() < end;
}
