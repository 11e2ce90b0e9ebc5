import { HostError, type Host } from '../host/host.ts';
import type { UnitOfCgroup } from '../run/cgroup-path.ts';
import { Failure } from '../run/failure.ts';
import { unitPath } from './unit-path.ts';
import { call, connectManager } from './wire.ts';

/** Milliseconds that systemd gives a service for its start (TimeoutStartSec=); undefined when it cannot be asked. */
export function startLimit(host: Host, { unit, manager }: UnitOfCgroup): number | undefined {
  if (manager === '' || !unit.endsWith('.service')) return undefined;
  let fd: number | undefined;
  try {
    const bus = connectManager(host, manager);
    fd = bus.fd;
    const values = ['org.freedesktop.systemd1.Service', 'TimeoutStartUSec'];
    const get = { path: unitPath(unit), interface: 'org.freedesktop.DBus.Properties', member: 'Get' };
    const [variant] = call(bus, { ...get, signature: 'ss', values });
    return Number((variant as [string, unknown])[1]) / 1000;
  } catch (error) {
    if (error instanceof Failure || error instanceof HostError) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) host.close(fd);
  }
}
