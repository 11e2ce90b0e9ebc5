import type { Bytes, Host } from '../host/host.ts';
import { storeDirectory } from '../image/store.ts';
import { helperVersion, NEEDED } from '../network/helper-version.ts';
import { activePeer } from '../quadlet/owner.ts';
import { doubt, fine, kernelIsAtLeast, lack, programPath, type Finding, type Subject } from './doctor-check.ts';

/** What containers of root and of accounts need alike. */
export function hostFindings(subject: Subject): Finding[] {
  const { host } = subject;
  return [cgroups(host), kernel(host), overlay(host), seccomp(host), store(subject), peer(subject)];
}

/** What networks of root need; an account has pasta. */
export function networkFindings(host: Host): Finding[] {
  return [
    networkProgram(host, 'netavark', 'networks of root'),
    networkProgram(host, 'aardvark-dns', 'names of containers in networks'),
    program(host, 'nft', 'nftables', "netavark's firewall rules"),
  ];
}

/** With its version, by which a start refuses it, too. */
function networkProgram(host: Host, name: string, use: string): Finding {
  const found = program(host, name, name, use);
  if (found.state !== 'ok') return found;
  const { said, age } = helperVersion(host, found.found);
  const text = `${found.found}, ${said === '' ? 'which does not tell its version' : said}`;
  if (age === 'known') return fine(name, text);
  const mend = `apt-get install ${name}, of Debian 13 or later`;
  return (age === 'old' ? lack : doubt)(name, `${text}: ${NEEDED}`, mend);
}

export function program(host: Host, name: string, packageName: string, use: string): Finding {
  const path = programPath(host, name);
  return path === undefined ? lack(name, `not installed: ${use}`, `apt-get install ${packageName}`) : fine(name, path);
}

const CGROUP2 = 0x63677270;

function cgroups(host: Host): Finding {
  const name = 'control groups';
  if (host.fsType('/sys/fs/cgroup') !== CGROUP2)
    return lack(name, 'the hierarchy is not unified', 'boot without systemd.unified_cgroup_hierarchy=0');
  const controllers = (host.readFileIfExists('/sys/fs/cgroup/cgroup.controllers') ?? '').trim().split(/\s+/);
  const absent = LIMITS.filter(one => !controllers.includes(one));
  if (absent.length === 0) return fine(name, 'unified, with cpu, memory and pids');
  const mend = 'boot with cgroup_no_v1=all, or take cgroup_disable= from the kernel command line';
  return doubt(name, `no ${absent.join(', ')}: limits of these are refused`, mend);
}

export const LIMITS = ['cpu', 'memory', 'pids'];

function kernel(host: Host): Finding {
  const release = host.kernelRelease();
  if (!kernelIsAtLeast(host, 5, 12))
    return lack('kernel', `${release}: no id-mapped mounts`, 'install a kernel from 6.1 on');
  return kernelIsAtLeast(host, 6, 1)
    ? fine('kernel', release)
    : doubt('kernel', `${release}: older than what is tested`, 'install a kernel from 6.1 on');
}

function overlay(host: Host): Finding {
  const known = /\toverlay$/m.test(host.readFileIfExists('/proc/filesystems') ?? '');
  const module = `/lib/modules/${host.kernelRelease()}/kernel/fs/overlayfs`;
  if (known) return fine('overlay', 'the kernel has it');
  return host.stat(module) === undefined
    ? lack('overlay', 'the kernel has no overlay file system', 'install a kernel with CONFIG_OVERLAY_FS')
    : doubt(
        'overlay',
        'its module is not loaded, which no account can do',
        'modprobe overlay; echo overlay >/etc/modules-load.d/overlay.conf',
      );
}

function seccomp(host: Host): Finding {
  return host.stat('/proc/sys/kernel/seccomp/actions_avail') === undefined
    ? lack('seccomp', 'the kernel has no system call filters', 'install a kernel with CONFIG_SECCOMP_FILTER')
    : fine('seccomp', 'the kernel has it');
}

/** File systems that cannot hold layers: no extended attributes of ours, or no other owners (statfs(2)). */
const UNFIT: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB',
  0x01021997: '9p',
  0x4d44: 'FAT',
  0x2011bab0: 'exFAT',
  0x794c7630: 'an overlay itself',
};

function store(subject: Subject): Finding {
  const { host, uid } = subject;
  const path = storeDirectory(host);
  const there = nearest(host, path);
  const type = UNFIT[host.fsType(there)];
  if (type !== undefined) {
    const mend =
      uid === 0
        ? `mount a local file system at ${path}, such as ext4, xfs or btrfs`
        : `berth account prepare ${subject.name}, or XDG_DATA_HOME= of the user manager on a local file system`;
    return lack('store', `${path} is on ${type}: layers cannot be kept there`, mend);
  }
  if (uid !== 0 && path.startsWith('/var/lib/berth/users/') && host.stat(path) === undefined)
    return lack('store', `no home that can be written, and no ${path}`, `berth account prepare ${subject.name}`);
  return fine('store', path);
}

function nearest(host: Host, path: Bytes): Bytes {
  let at = path;
  while (at !== '' && host.stat(at) === undefined) at = at.slice(0, at.lastIndexOf('/'));
  return at === '' ? '/' : at;
}

/** Two generators for the same files: ours stands back. */
function peer({ host, uid }: Subject): Finding {
  const active = activePeer(host, uid !== 0);
  return active === undefined
    ? fine('generator', 'ours alone reads the unit files')
    : doubt('generator', `${active} is active: ours stands back`, 'berth system takeover');
}
