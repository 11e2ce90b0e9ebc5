import { HostError, type Host } from '../host/host.ts';
import { Failure } from './failure.ts';

/**
 * Where the runtime directory is (see state.ts): the first that this account owns. It is created 0700 on the first use.
 */
export function runtimeDirectory(host: Host): string {
  for (const { base, path } of candidates(host)) {
    if (!ownedBy(host, base)) continue;
    if (base !== path) makePrivate(host, path);
    return path;
  }
  if (host.euid === 0) {
    makePrivate(host, '/run/berth');
    return '/run/berth';
  }
  throw new Failure(
    125,
    `no runtime directory for uid ${host.euid}: neither $XDG_RUNTIME_DIR nor /run/berth/users/${host.euid} is there;` +
      ` run 'berth account prepare' as root, or enable lingering for the account`,
  );
}

/** Every runtime directory of this account that exists: a container may have been started another way than we are. */
export function runtimeDirectories(host: Host): string[] {
  const found: string[] = [];
  for (const { path } of candidates(host)) if (!found.includes(path) && ownedBy(host, path)) found.push(path);
  return found;
}

interface Candidate {
  /** Must belong to the account. */
  readonly base: string;
  readonly path: string;
}

function candidates(host: Host): Candidate[] {
  const session = host.environment('XDG_RUNTIME_DIR');
  if (host.euid === 0 && (session === undefined || isHostRoot(host)))
    return [{ base: '/run/berth', path: '/run/berth' }];
  const list: Candidate[] = [];
  if (session?.startsWith('/')) list.push({ base: session, path: `${session}/berth` });
  const prepared = `/run/berth/users/${host.euid}`;
  list.push({ base: prepared, path: prepared });
  const unit = host.environment('RUNTIME_DIRECTORY')?.split(':')[0];
  if (unit?.startsWith('/')) list.push({ base: unit, path: `${unit}/berth` });
  // A shell that su or sudo opened lacks the variable. Last, since a unit with User= must not depend on a session's directory.
  const usual = `/run/user/${host.euid}`;
  if (session !== usual) list.push({ base: usual, path: `${usual}/berth` });
  return list;
}

/** False for the root of a user namespace that an account made (rootless Podman calls OCI runtimes there): /run is not its own. */
function isHostRoot(host: Host): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(host.readFileIfExists('/proc/self/uid_map') ?? '0 0 4294967295');
}

/** What cannot be looked at (ProtectHome= hides /run/user) is not there for us. */
function ownedBy(host: Host, path: string): boolean {
  try {
    const stat = host.lstat(path);
    return stat !== undefined && stat.kind === 'directory' && stat.uid === host.euid;
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

function makePrivate(host: Host, path: string): void {
  try {
    host.mkdir(path, 0o700);
  } catch (error) {
    if (error instanceof HostError) throw new Failure(125, `cannot make the runtime directory ${error.message}`);
    throw error;
  }
}
