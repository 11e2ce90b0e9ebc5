import { HostError, type Host } from '../host/host.ts';
import { findUser } from '../host/users.ts';
import { ImageError } from './error.ts';
import type { StoreMap } from './types.ts';

type Ranges = StoreMap['uid'];

/**
 * The id map through which this account's layers are owned: root's are as they are; an account's id is 0 inside and its
 * subordinate ids follow from 1 on. An account of DynamicUser= has no such ids: it maps its own alone.
 * Throws ImageError when an ordinary account has none.
 */
export function storeMap(host: Host): StoreMap {
  if (host.euid === 0) return { kind: 'host', uid: [], gid: [] };
  const name = findUser(host, String(host.euid))?.name ?? '';
  const uid = subordinate(host, '/etc/subuid', name, host.euid);
  const gid = subordinate(host, '/etc/subgid', name, host.gid);
  if (uid.length > 1 && gid.length > 1) return { kind: 'subordinate', uid, gid };
  if (isDynamic(host.euid)) return { kind: 'single', uid: uid.slice(0, 1), gid: gid.slice(0, 1) };
  const account = name === '' ? `uid ${host.euid}` : name;
  const file = uid.length > 1 ? '/etc/subgid' : '/etc/subuid';
  throw new ImageError(
    `${account} has no subordinate ids in ${file}; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${account}, with a range that no one else has`,
  );
}

/** The ids that systemd gives to DynamicUser= (systemd's UIDS-GIDS.md). */
function isDynamic(uid: number): boolean {
  return uid >= 61184 && uid <= 65519;
}

/** The account's own id as 0, then its ranges one after the other. */
function subordinate(host: Host, path: string, name: string, own: number): Ranges {
  const ranges = [{ inside: 0, outside: own, count: 1 }];
  let next = 1;
  for (const { start, count } of rangesOf(host, path, name, host.euid)) {
    ranges.push({ inside: next, outside: start, count });
    next += count;
  }
  return ranges;
}

/** Ranges of host ids of an account in /etc/subuid or /etc/subgid, or where a directory service has them. */
export function rangesOf(host: Host, path: string, name: string, uid?: number): { start: number; count: number }[] {
  const ranges = listed(host, path, name, uid) ?? asked(host, path, name);
  return ranges.map(([start, count]) => ({ start, count }));
}

/** Lines `NAME-OR-UID:START:COUNT` of subuid(5); undefined when there is none for this account. */
function listed(host: Host, path: string, name: string, uid?: number): [number, number][] | undefined {
  const text = host.readFileIfExists(path) ?? '';
  const found: [number, number][] = [];
  for (const line of text.split('\n')) {
    const [who = '', start = '', count = ''] = line.split(':');
    if (who === '' || (who !== name && (uid === undefined || who !== String(uid)))) continue;
    const from = Number(start);
    const size = Number(count);
    if (Number.isInteger(from) && Number.isInteger(size) && size > 0 && from + size <= 4294967295)
      found.push([from, size]);
  }
  return found.length > 0 ? found : undefined;
}

/** Where a directory service holds the ranges, getsubids(1) knows them: `0: NAME START COUNT`. */
function asked(host: Host, path: string, name: string): [number, number][] {
  const conf = host.readFileIfExists('/etc/nsswitch.conf', 1 << 20) ?? '';
  if (name === '' || !/^subid:\s*(?!files\s*$)\S/m.test(conf)) return [];
  try {
    const option = path.endsWith('gid') ? ['-g'] : [];
    const answer = host.run({
      argv: ['getsubids', ...option, name],
      stdout: 'capture',
      stderr: 'capture',
      timeout: 5000,
    });
    return [...answer.stdout.matchAll(/^\d+: \S+ (\d+) (\d+)$/gm)].map(match => [Number(match[1]), Number(match[2])]);
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}
