import { HostError, type Host } from '../host/host.ts';
import { ImageError } from './error.ts';
import { STORE_VERSION } from './types.ts';

/**
 * Where the store of this account is (types.ts says what is in it): for root /var/lib/berth; for another account
 * `$XDG_DATA_HOME/berth` when the home is its own and writable, otherwise /var/lib/berth/users/UID, which
 * `berth account prepare` makes; with DynamicUser= `$STATE_DIRECTORY/berth`. Makes nothing.
 */
export function storeDirectory(host: Host): string {
  if (host.euid === 0) return '/var/lib/berth';
  for (const home of homes(host)) {
    const data = host.environment('XDG_DATA_HOME');
    const store = `${data?.startsWith('/') && host.environment('HOME') === home ? data : `${home}/.local/share`}/berth`;
    // A unit may see its home read-only (ProtectSystem=strict, ReadWritePaths=): the store is still where the account's prompt has it.
    if (ownedBy(host, store, host.euid) || host.access(home, 2)) return store;
  }
  const prepared = `/var/lib/berth/users/${host.euid}`;
  if (ownedBy(host, prepared, host.euid)) return prepared;
  const state = host.environment('STATE_DIRECTORY')?.split(':')[0];
  return state?.startsWith('/') && ownedBy(host, state, host.euid) ? `${state}/berth` : prepared;
}

/** Line of /etc/passwd: what `field` (name or uid, as text) names; undefined when it is not there. */
export function passwdEntry(
  host: Host,
  field: 'name' | 'uid',
  value: string,
): { name: string; uid: number; gid: number; home: string } | undefined {
  for (const line of (host.readFileIfExists('/etc/passwd') ?? '').split('\n')) {
    const parts = line.split(':');
    if (parts.length < 7 || parts[field === 'name' ? 0 : 2] !== value) continue;
    return { name: parts[0] ?? '', uid: Number(parts[2]), gid: Number(parts[3]), home: parts[5] ?? '' };
  }
  return undefined;
}

/** `$HOME`, else that of /etc/passwd: systemd gives root's units none. Empty: there is none, or a sandbox hides it. */
export function homeOf(host: Host): string {
  const named = host.environment('HOME') ?? '';
  if (named !== '') return named;
  const listed = passwdEntry(host, 'uid', String(host.euid))?.home ?? '';
  return listed.startsWith('/') && host.access(listed, 1) ? listed : '';
}

/** Makes the store (--root, or the account's own) where it is missing, and refuses one of a newer format. */
export function openStore(host: Host, chosen?: string): string {
  const store = chosen ?? storeDirectory(host);
  try {
    // Accounts without a home have theirs below root's, so it must let them through; what is in it is closed.
    host.mkdirs(store, host.euid === 0 ? 0o711 : 0o700);
    for (const part of PARTS) host.mkdirs(`${store}/${part}`, 0o700);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new ImageError(
      `the store ${store} cannot be made: ${error.message}${host.euid === 0 ? '' : `; as root: berth account prepare ${accountName(host)}`}`,
    );
  }
  checkVersion(host, store);
  return store;
}

const PARTS = ['blobs', 'blobs/sha256', 'blobs/sha512', 'layers', 'images', 'names', 'tmp', 'locks', 'partial'];

function checkVersion(host: Host, store: string): void {
  const path = `${store}/version`;
  const text = host.readFileIfExists(path, 4096);
  const found = text === undefined ? undefined : (/^\{"version":(\d+)\}/.exec(text)?.[1] ?? undefined);
  if (found === String(STORE_VERSION)) return;
  if (found !== undefined && Number(found) > STORE_VERSION) {
    throw new ImageError(
      `${path}: the store has format ${found}, this version of Berth knows ${STORE_VERSION}; upgrade Berth`,
    );
  }
  host.writeFileAtomic(path, `{"version":${STORE_VERSION}}\n`, 0o600);
}

function accountName(host: Host): string {
  return passwdEntry(host, 'uid', String(host.euid))?.name ?? String(host.euid);
}

/** $HOME, unless it is somebody else's (sudo), then what the account has. */
function homes(host: Host): string[] {
  const named = host.environment('HOME') ?? '';
  const listed = passwdEntry(host, 'uid', String(host.euid))?.home ?? '';
  return [...new Set([named, listed])].filter(
    home => home.startsWith('/') && home !== '/' && ownedBy(host, home, host.euid),
  );
}

/** False also where a sandbox hides it. */
function ownedBy(host: Host, path: string, uid: number): boolean {
  try {
    const stat = host.stat(path);
    return stat !== undefined && stat.kind === 'directory' && stat.uid === uid;
  } catch (error) {
    if (error instanceof HostError && error.code === 'EACCES') return false;
    throw error;
  }
}
