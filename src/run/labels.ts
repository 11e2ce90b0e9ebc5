import type { Host } from '../host/host.ts';
import type { Plan } from '../plan/types.ts';
import { Failure } from './failure.ts';

/**
 * The plan with the true names of what gets a label: the walk follows no link, so that nobody who may write on the way there leads it to
 * other files (T3). A Failure (125) for what the host itself needs with its own labels.
 */
export function withTrueNames(host: Host, plan: Plan): Plan {
  if (plan.relabels.length === 0) return plan;
  const home = host.environment('HOME') ?? '';
  const relabels = plan.relabels.map(({ path, label }) => {
    const real = trueName(host, path);
    if (isOfTheHost(real) || (home !== '' && real === trueName(host, home))) {
      const named = real === path ? path : `${path} is ${real}, which`;
      throw new Failure(
        125,
        `--volume ${named}: cannot be labelled for a container; name a directory of its own, or leave out z and Z`,
      );
    }
    return { path: real, label };
  });
  return { ...plan, relabels };
}

/** What Podman refuses (label.Relabel of github.com/opencontainers/selinux), by true names; here every home, and programs and libraries at any depth. */
function isOfTheHost(path: string): boolean {
  return (
    EXACTLY.has(path) || /^\/home\/[^/]+$/.test(path) || BELOW.some(top => path === top || path.startsWith(`${top}/`))
  );
}

const EXACTLY: ReadonlySet<string> = new Set(
  `/ /dev /etc /etc/passwd /etc/pki /etc/shadow /home /media /mnt /opt /proc /root /run /srv /sys /tmp /usr /var /var/lib /var/log`.split(
    ' ',
  ),
);
const BELOW = '/bin /boot /lib /lib64 /sbin /usr/bin /usr/lib /usr/lib64 /usr/libexec /usr/sbin'.split(' ');

/** Of what is not there yet: the true name of what it will lie in. */
function trueName(host: Host, path: string): string {
  const real = host.realpath(path);
  if (real !== undefined) return real;
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? path : `${trueName(host, path.slice(0, slash))}${path.slice(slash)}`;
}
