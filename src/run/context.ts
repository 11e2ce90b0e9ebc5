import type { Host } from '../host/host.ts';
import { unifiedPath, unitOfPath, type UnitOfCgroup } from './cgroup-path.ts';
import { Failure } from './failure.ts';

/** CGROUP2_SUPER_MAGIC of statfs(2). */
const CGROUP2 = 0x63677270;

/** Where a command finds itself. */
export interface Context {
  /** Own group below /sys/fs/cgroup. */
  readonly cgroup: string;
  readonly own: UnitOfCgroup;
  /** PODMAN_SYSTEMD_UNIT names the unit of our own group: systemd started us for this unit. */
  readonly inUnit: boolean;
  /** `inUnit`, and systemd waits for our notification. */
  readonly notify: boolean;
  /** A manager of systemd is there to be asked. */
  readonly systemd: boolean;
}

/** The unit's environment alone is no proof: a shell started from a unit inherits it. Therefore the own cgroup counts, too. */
export function findContext(host: Host): Context {
  const cgroup = unifiedPath(host.readFile('/proc/self/cgroup')) ?? '';
  const own = unitOfPath(cgroup);
  const named = host.environment('PODMAN_SYSTEMD_UNIT') ?? '';
  const inUnit = named !== '' && named === own.unit;
  const systemd = host.stat('/run/systemd/system')?.kind === 'directory';
  return { cgroup, own, inUnit, notify: inUnit && host.environment('NOTIFY_SOCKET') !== undefined, systemd };
}

/** One line for a host that Berth's cgroup rules cannot work on. */
export function requireUnified(host: Host, context: Context): void {
  if (context.cgroup !== '' && host.fsType('/sys/fs/cgroup') === CGROUP2) return;
  throw new Failure(
    125,
    '/sys/fs/cgroup: not a unified cgroup tree; boot with systemd.unified_cgroup_hierarchy=1, or run with --cgroups=disabled',
  );
}
