/**
 * Theory of operation: the names of networks are aardvark-dns(1)'s, which is the main process of a unit of its own, so that systemd restarts it when
 * it dies: berth-names.service of the system for root's networks, of the user manager or berth-names@UID.service for an account's.
 *
 * Root: netavark finds that none runs when the first network with names gets a container, and starts what we name to it: STARTER, which asks systemd
 * for the unit. aardvark-dns ends by itself with the last of them.
 * Accounts: berth-netns.service (hold.ts) wants the unit and stops it. One file that names no container keeps aardvark-dns running until then.
 */
import { CLONE, type Host } from '../host/host.ts';
import { encodeOps, op } from '../ops/encode.ts';
import { Failure } from '../run/failure.ts';
import { hostResolvers } from './etc-files.ts';
import { networkDirectory, withNetworkLock } from './ipam.ts';
import { awaitNamespace, readNamespace } from './namespace.ts';
import { helperPath } from './netavark.ts';
import { DNS_FORWARD } from './pasta.ts';
import { reachableServers } from './resolvers.ts';

/** Starts aardvark-dns for this account's networks; its pid, or undefined when no network has names. Fails with 125. */
export function startNames(host: Host): number | undefined {
  const program = helperPath(host, 'aardvark-dns');
  if (program === undefined) throw new Failure(125, 'aardvark-dns is not installed; install the package aardvark-dns');
  const directory = `${networkDirectory(host)}/aardvark-dns`;
  const words = [program, '--config', directory, '-p', '53', 'run'];
  if (host.euid === 0) {
    if (host.stat(directory) === undefined || host.list(directory).every(({ name }) => name === PID_FILE))
      return undefined;
    const { status, stderr } = host.run({ argv: words, environment: ['PATH=/usr/sbin:/sbin'], stderr: 'capture' });
    if (status !== 0) throw failed(stderr.trim());
  } else {
    if (awaitNamespace(host) === undefined) throw new Failure(125, NO_NAMESPACE);
    // netavark would send its signal to a server that is not prepared for it.
    withNetworkLock(host, () => {
      host.mkdirs(directory, 0o700);
      host.writeFile(`${directory}/${NOBODY}`, '127.0.0.1\n', 0o600);
      startInside(host, words);
    });
  }
  const pid = Number((host.readFileIfExists(`${directory}/${PID_FILE}`) ?? '').trim());
  return pid > 1 && host.startTime(pid) !== undefined ? pid : undefined;
}

/** aardvark-dns asks pasta, which asks whom the host asks; of /etc it needs nothing else. */
function startInside(host: Host, words: readonly string[]): void {
  const namespace = readNamespace(host);
  if (namespace === undefined) throw new Failure(125, NO_NAMESPACE);
  const holder = namespace.pid;
  // After a change of the host's resolvers (resolvers.ts) pasta asks one that may not be there any more.
  const { base, target } = hostResolvers(host);
  const others = target === namespace.resolver ? [] : reachableServers(base);
  const asked = others.length > 0 ? others : [DNS_FORWARD];
  const descriptors = ['user', 'net'].map(kind => host.open(`/proc/${holder}/ns/${kind}`, 0));
  const stage = host.launch({
    namespaces: 0,
    sibling: false,
    ops: encodeOps([
      op('setns', 0, CLONE.NEWUSER.toString(16)),
      op('setns', 1, CLONE.NEWNET.toString(16)),
      op('unshare', CLONE.NEWNS.toString(16)),
      op('propagation', '/', 'rslave'),
      op('root-bind', '/', 'r'),
      op('mount', 'tmpfs', 'tmpfs', '/etc', 'nosuid,nodev,noexec', 'size=64k,mode=0755'),
      op('write-file', '/etc/resolv.conf', '644', asked.map(server => `nameserver ${server}\n`).join('')),
      op('pivot'),
      op('environment', 'PATH=/usr/sbin:/sbin'),
      op('exec', '/usr/sbin', ...words),
    ]),
    stdio: ['null', 'null', 'inherit'],
    descriptors,
  });
  for (const fd of descriptors) host.close(fd);
  const heard = host.receiveMessage(stage);
  const said = heard === 'closed' ? host.outcome(stage) : heard.message;
  const end = host.wait(stage);
  for (const fd of [stage.control, stage.status, stage.pidfd]) host.close(fd);
  if (end.status !== 0) throw failed(said);
}

function failed(said: string): Failure {
  return new Failure(125, `aardvark-dns could not be started${said === '' ? '' : `: ${said}`}`);
}

const NO_NAMESPACE = 'the network namespace of this account is not there';
/** aardvark-dns writes it beside the files of the networks. */
const PID_FILE = 'aardvark.pid';
/** A network without containers: its server answers nobody. */
const NOBODY = 'berth-nobody';
