import type { Bytes, Files } from '../host/host.ts';

/** Directories of generators, highest precedence first (systemd.generator(7)). */
const PREFIXES = ['/run/systemd', '/etc/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd'];

/**
 * The path of the peer's generator when it is active, i.e. not hidden by a link to /dev/null or an empty file: both would write the same files, and
 * which one wins would change from reload to reload.
 */
export function activePeer(host: Pick<Files, 'stat' | 'realpath'>, user: boolean): Bytes | undefined {
  const kind = user ? 'user' : 'system';
  for (const prefix of PREFIXES) {
    const path = `${prefix}/${kind}-generators/podman-${kind}-generator`;
    const stat = host.stat(path);
    if (stat === undefined) continue;
    return stat.kind === 'file' && stat.size > 0 && (stat.mode & 0o111) !== 0 ? path : undefined;
  }
  return undefined;
}
