import { HostError, type Host } from '../host/host.ts';
import type { Spec } from '../plan/spec.ts';
import type { PayloadGroup } from './cgroup.ts';
import { deviceProgram } from './device-program.ts';

/**
 * Keeps the payload's group to the devices of its rules, as root: an account may not, and needs no such rules, since nodes that it makes do
 * not open. Where the kernel refuses (a host that is a container itself) it is said when something rests on it.
 */
export function limitDevices(host: Host, { linux, process }: Spec, group: PayloadGroup | undefined): void {
  if (host.euid !== 0) return;
  const rules = linux.resources?.devices ?? [];
  const program = deviceProgram(rules);
  if (program === undefined) return;
  try {
    if (group !== undefined) {
      host.limitDevices(group.directory, program);
      return;
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  const narrow = rules.some(rule => rule.allow && rule.access !== 'rwm');
  const makesNodes =
    (linux.uidMappings ?? []).length === 0 && process?.capabilities?.bounding?.includes('CAP_MKNOD') === true;
  if (narrow || makesNodes) host.write(2, `berth: warning: ${NOT_LIMITED}\n`);
}

const NOT_LIMITED =
  'which devices the payload opens is not limited here; use DevicePolicy=closed and DeviceAllow= in [Service]';
