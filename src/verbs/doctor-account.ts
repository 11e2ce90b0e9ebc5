import type { Host } from '../host/host.ts';
import { rangesOf } from '../image/store-map.ts';
import {
  doubt,
  fine,
  kernelIsAtLeast,
  lack,
  numberIn,
  programPath,
  type Finding,
  type Subject,
} from './doctor-check.ts';
import { LIMITS, program } from './doctor-host.ts';

/** What containers of an account need beside what all need. */
export function accountFindings(subject: Subject): Finding[] {
  const { host } = subject;
  return [
    userNamespaces(host),
    appArmor(host),
    ...['uid', 'gid'].map(kind => subordinate(subject, kind as 'uid' | 'gid')),
    ...['newuidmap', 'newgidmap'].map(name => helper(host, name)),
    pasta(host),
    tun(host),
    rootlessOverlay(host),
    manager(subject),
    lingering(subject),
    delegation(subject),
  ];
}

/** How many ids images commonly use: nobody is 65534. */
const IDS = 65536;

function subordinate({ host, name, uid }: Subject, kind: 'uid' | 'gid'): Finding {
  const file = `/etc/sub${kind}`;
  const count = rangesOf(host, file, name, uid).reduce((sum, range) => sum + range.count, 0);
  const mend = `usermod --add-sub${kind}s ${freeRange(host, file)} ${name}`;
  const title = `sub${kind}`;
  if (count === 0) return lack(title, `${file} has no range of ${name}: images with several ids cannot run`, mend);
  return count < IDS ? doubt(title, `${file}: ${count} ids, fewer than ${IDS}`, mend) : fine(title, `${count} ids`);
}

/** A range behind all others; those of accounts begin at 100000 (login.defs(5)). */
function freeRange(host: Host, file: string): string {
  const ends = (host.readFileIfExists(file) ?? '').split('\n').map(line => {
    const [, start = 'x', count = 'x'] = line.split(':');
    return /^\d+$/.test(start) && /^\d+$/.test(count) ? Number(start) + Number(count) : 0;
  });
  const start = Math.max(100_000, ...ends);
  return `${start}-${start + IDS - 1}`;
}

const SETUID = 0o4000;

function helper(host: Host, name: string): Finding {
  const path = programPath(host, name);
  if (path === undefined) return lack(name, 'not installed: ids cannot be mapped', 'apt-get install uidmap');
  const stat = host.stat(path);
  if (stat?.uid === 0 && (stat.mode & SETUID) !== 0) return fine(name, path);
  const kind = name === 'newuidmap' ? 'cap_setuid' : 'cap_setgid';
  const capabilities = capabilitiesOf(host, path);
  if (capabilities?.includes(kind) === true) return fine(name, `${path}, ${kind}`);
  return lack(name, `${path} is neither setuid root nor has it ${kind}`, `chown root: ${path}; chmod u+s ${path}`);
}

/** getcap(8); undefined where it is not installed. */
function capabilitiesOf(host: Host, path: string): string | undefined {
  const getcap = programPath(host, 'getcap');
  if (getcap === undefined) return undefined;
  return host.run({ argv: [getcap, path], stdout: 'capture', stderr: 'capture' }).stdout;
}

function userNamespaces(host: Host): Finding {
  const name = 'user namespaces';
  if (host.stat('/proc/self/ns/user') === undefined)
    return lack(name, 'the kernel has none', 'install a kernel with CONFIG_USER_NS');
  if (numberIn(host, '/proc/sys/user/max_user_namespaces') === 0)
    return lack(name, 'user.max_user_namespaces is 0', 'sysctl -w user.max_user_namespaces=15000');
  if (numberIn(host, '/proc/sys/kernel/unprivileged_userns_clone') === 0)
    return lack(name, 'kernel.unprivileged_userns_clone is 0', 'sysctl -w kernel.unprivileged_userns_clone=1');
  return fine(name, 'accounts may make them');
}

/** AppArmor refuses them to programs without a profile that allows it; ours is in the package. */
function appArmor(host: Host): Finding {
  const name = 'apparmor';
  if (numberIn(host, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns') !== 1)
    return fine(name, 'does not hinder');
  return host.stat('/etc/apparmor.d/berth') === undefined
    ? lack(name, 'refuses user namespaces, and /etc/apparmor.d/berth is not there', 'apt-get install --reinstall berth')
    : fine(name, 'refuses user namespaces to others; berth has a profile');
}

/**
 * Its version, and the youngest option that is used of it, out of the program itself. Asked, it ends without writing out what it says, but to
 * a terminal; and its AppArmor profile allows neither terminals nor what would make it write (stdbuf).
 */
function pasta(host: Host): Finding {
  const found = program(host, 'pasta', 'passt', 'the network of containers of accounts');
  if (found.state !== 'ok') return found;
  const content = host.access(found.found, MAY_READ) ? host.readFile(found.found) : '';
  const [, version] = /([!-~]+)\nCopyright Red Hat/.exec(content) ?? [];
  const text = `${found.found}, ${version ?? 'which does not tell its version'}`;
  if (content.includes('map-guest-addr')) return fine('pasta', text);
  const mend = 'apt-get install passt, of Debian 13 or later';
  return version === undefined
    ? doubt('pasta', `${text}: it has to have --map-guest-addr`, mend)
    : lack('pasta', `${text}: it is too old, and has no --map-guest-addr`, mend);
}

const MAY_READ = 4;

function tun(host: Host): Finding {
  const stat = host.stat('/dev/net/tun');
  if (stat?.kind !== 'char')
    return lack(
      'tun',
      'no /dev/net/tun: pasta has no network device',
      'modprobe tun; echo tun >/etc/modules-load.d/tun.conf',
    );
  return (stat.mode & 0o006) === 0o006
    ? fine('tun', '/dev/net/tun')
    : lack('tun', '/dev/net/tun cannot be opened by accounts', 'chmod 666 /dev/net/tun');
}

function rootlessOverlay(host: Host): Finding {
  return kernelIsAtLeast(host, 5, 11)
    ? fine('rootless overlay', 'the kernel allows it')
    : lack('rootless overlay', 'only kernels from 5.11 on allow it to accounts', 'install a kernel from 6.1 on');
}

function manager({ host, name, uid }: Subject): Finding {
  return host.stat(`/run/user/${uid}/bus`) === undefined
    ? doubt(
        'user manager',
        `uid ${uid} has none now: units of the account itself do not run`,
        `loginctl enable-linger ${name}`,
      )
    : fine('user manager', 'it runs');
}

function lingering({ host, name }: Subject): Finding {
  return host.stat(`/var/lib/systemd/linger/${name}`) === undefined
    ? doubt('lingering', 'units of the account end with its last session', `loginctl enable-linger ${name}`)
    : fine('lingering', 'its units run without a session');
}

/** What the system's manager hands to the account's. */
function delegation({ host, uid }: Subject): Finding {
  const name = 'delegation';
  const group = `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service/cgroup.controllers`;
  const text = host.readFileIfExists(group);
  if (text === undefined) return fine(name, 'to be seen when the user manager runs');
  const there = (host.readFileIfExists('/sys/fs/cgroup/cgroup.controllers') ?? '').trim().split(/\s+/);
  const absent = LIMITS.filter(one => there.includes(one) && !text.trim().split(/\s+/).includes(one));
  if (absent.length === 0) return fine(name, 'the user manager has every controller');
  const mend = 'systemctl edit user@.service, write [Service] and Delegate=yes, then log in anew';
  return doubt(name, `the user manager has no ${absent.join(', ')}: limits of these are refused`, mend);
}
