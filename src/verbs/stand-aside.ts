import { HostError, type Host } from '../host/host.ts';
import { BY_NODE_APART, BY_NODE_ASIDE } from '../host/native.ts';
import { outerUid } from '../host/outer-uid.ts';
import { unifiedPath, unitOfPath } from '../run/cgroup-path.ts';
import { Failure } from '../run/failure.ts';
import { linkTo } from '../systemd/transient.ts';

/** Of systemd.resource-control(5); the others have 100. With `idle` a pull would hardly end on a busy host. */
const WEIGHT = 4;
const AUTOGROUPS = '/proc/sys/kernel/sched_autogroup_enabled';

/** Where a person's commands run: logind's sessions, and a desktop's terminals (systemd.io, DESKTOP_ENVIRONMENTS). Other scopes were chosen. */
const OF_PERSON = /^(session|app|vte-spawn)-.*\.scope$/;

/**
 * This process gives way to what starts meanwhile; in what way Node is to run then. A niceness counts only among the processes of one
 * group: with the cpu controller that is a control group (the kernel's cgroup-v2.rst, "CPU"), so we ask systemd for one of little weight.
 * Without it the kernel may make one of each session (sched(7), "The autogroup feature"): then Node needs its own.
 */
export function standAside(host: Host): number {
  if (OF_PERSON.test(unitOfPath(ownGroup(host)).unit)) enterScope(host);
  const weighed = host.stat(`/sys/fs/cgroup${ownGroup(host)}/cpu.weight`) !== undefined;
  return weighed || host.readFileIfExists(AUTOGROUPS)?.trim() !== '1' ? BY_NODE_ASIDE : BY_NODE_APART;
}

/** Without systemd, or refused, a pull stays where it is. */
function enterScope(host: Host): void {
  try {
    const link = linkTo(host, outerUid(host) === 0 ? 'system' : 'user');
    try {
      const wish = { description: 'berth pull', pids: [host.pid], weight: WEIGHT };
      link.beginScope(`berth-pull-${host.pid}.scope`, wish)();
    } finally {
      link.close();
    }
  } catch (error) {
    if (!(error instanceof Failure || error instanceof HostError)) throw error;
  }
}

function ownGroup(host: Host): string {
  return unifiedPath(host.readFile('/proc/self/cgroup')) ?? '';
}
