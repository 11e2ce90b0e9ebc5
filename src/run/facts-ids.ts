import type { Host } from '../host/host.ts';
import { findUser } from '../host/users.ts';
import { rangesOf } from '../image/store-map.ts';
import type { RunRequest } from '../plan/request.ts';
import type { SpecIdMapping } from '../plan/spec.ts';
import type { PlanFacts } from '../plan/types.ts';

type Ids = Pick<
  PlanFacts,
  'uid' | 'gid' | 'userName' | 'subUids' | 'subGids' | 'idMapHelpers' | 'idMapProblem' | 'ourUidMap' | 'ourGidMap'
>;

/** CAP_SETGID and CAP_SETUID of the masks in /proc/self/status. */
const SETGID_SETUID = 0xc0;

/** Who we are, which ids we may give to a container, and whether newuidmap(1) and newgidmap(1) can do it. */
export function collectIds(host: Host, request: RunRequest): Ids {
  if (host.euid === 0) return rootIds(host, request);
  const userName = findUser(host, String(host.euid))?.name ?? String(host.euid);
  const subUids = rangesOf(host, '/etc/subuid', userName, host.euid);
  const subGids = rangesOf(host, '/etc/subgid', userName, host.euid);
  const base = { uid: host.euid, gid: host.gid, userName, subUids, subGids, ourUidMap: [], ourGidMap: [] };
  const problem = subUids.length > 0 && subGids.length > 0 ? helperProblem(host) : undefined;
  return problem === undefined
    ? { ...base, idMapHelpers: true }
    : { ...base, idMapHelpers: false, idMapProblem: problem };
}

function rootIds(host: Host, request: RunRequest): Ids {
  const { userns } = request;
  const user = userns.kind === 'maps' ? (userns.subUidName ?? userns.subGidName) : undefined;
  const group = userns.kind === 'maps' ? (userns.subGidName ?? userns.subUidName) : undefined;
  return {
    uid: 0,
    gid: 0,
    userName: 'root',
    subUids: user === undefined ? [] : rangesOf(host, '/etc/subuid', user),
    subGids: group === undefined ? [] : rangesOf(host, '/etc/subgid', group),
    idMapHelpers: true,
    ourUidMap: readMap(host, '/proc/self/uid_map'),
    ourGidMap: readMap(host, '/proc/self/gid_map'),
  };
}

/** Lines `INSIDE OUTSIDE COUNT` (user_namespaces(7)). */
function readMap(host: Host, path: string): SpecIdMapping[] {
  const map: SpecIdMapping[] = [];
  for (const line of (host.readFileIfExists(path) ?? '').split('\n')) {
    const [containerID, hostID, size] = line.split(' ').filter(Boolean).map(Number);
    if (containerID !== undefined && hostID !== undefined && size !== undefined)
      map.push({ containerID, hostID, size });
  }
  return map;
}

/**
 * Why the helpers would fail: they are not there; the kernel ignores their privileges under no-new-privileges; or the bounding set
 * lacks what they need. Capabilities that we hold ourselves (AmbientCapabilities=) pass on to them.
 */
function helperProblem(host: Host): string | undefined {
  for (const name of ['newuidmap', 'newgidmap']) {
    const found = ['/usr/bin', '/usr/sbin', '/usr/local/bin'].some(directory => host.access(`${directory}/${name}`, 1));
    if (!found) return `${name} is not there; install the package uidmap`;
  }
  const status = host.readFile('/proc/self/status');
  const has = (key: string): boolean => (maskOf(status, key) & SETGID_SETUID) === SETGID_SETUID;
  if (!has('CapBnd'))
    return 'newuidmap needs CAP_SETUID and CAP_SETGID, which CapabilityBoundingSet= of the unit takes away';
  if (fieldOf(status, 'NoNewPrivs') === '1' && !has('CapEff')) {
    return (
      'no-new-privileges is on, which makes newuidmap powerless; ' +
      'leave NoNewPrivileges= (and what implies it) out of [Service], or add AmbientCapabilities=CAP_SETUID CAP_SETGID'
    );
  }
  return undefined;
}

function fieldOf(status: string, key: string): string {
  const at = status.indexOf(`\n${key}:`);
  return at < 0 ? '' : status.slice(at + key.length + 2, status.indexOf('\n', at + 1)).trim();
}

/** The low 32 bits of a capability mask. */
function maskOf(status: string, key: string): number {
  return Number.parseInt(fieldOf(status, key).slice(-8), 16);
}
