import type { Host } from '../host/host.ts';
import { findUser } from '../host/users.ts';
import { rangesOf } from '../image/store-map.ts';
import type { RunRequest } from '../plan/request.ts';
import type { SpecIdMapping } from '../plan/spec.ts';
import type { IdRange, PlanFacts } from '../plan/types.ts';
import { listContainers } from './containers.ts';
import { fieldOf, lacking, statusOf } from './own-capabilities.ts';

type Ids = Pick<
  PlanFacts,
  'uid' | 'gid' | 'userName' | 'subUids' | 'subGids' | 'idMapHelpers' | 'idMapProblem' | 'ourUidMap' | 'ourGidMap'
>;

/** Who we are, which ids we may give to a container, and whether newuidmap(1) and newgidmap(1) can do it. */
export function collectIds(host: Host, request: RunRequest): Ids {
  if (host.euid === 0) return rootIds(host, request);
  const userName = findUser(host, String(host.euid))?.name ?? String(host.euid);
  const subUids = rangesOf(host, '/etc/subuid', userName, host.euid);
  const subGids = rangesOf(host, '/etc/subgid', userName, host.euid);
  const base = { uid: host.euid, gid: host.gid, userName, subUids, subGids, ourUidMap: [], ourGidMap: [] };
  const problem = subUids.length > 0 && subGids.length > 0 ? helperProblem(host, subUids) : undefined;
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

/**
 * For `--userns auto`: the ids of `containers` for root, an account's subordinate ones; and those that containers have whose ids are
 * theirs alone. An account's other containers share all of its ids.
 */
export function freeIds(host: Host): NonNullable<PlanFacts['auto']> {
  const name = host.euid === 0 ? 'containers' : (findUser(host, String(host.euid))?.name ?? String(host.euid));
  const own = host.euid === 0 ? undefined : host.euid;
  const states = listContainers(host).flatMap(({ state }) => (state === undefined ? [] : [state]));
  const alone = states.filter(state => host.euid === 0 || state.autoIds === true);
  const used = (side: 'uidMap' | 'gidMap'): IdRange[] =>
    alone.flatMap(state => state[side].map(([, start, count]) => ({ start, count })));
  return {
    uid: { ranges: rangesOf(host, '/etc/subuid', name, own), used: used('uidMap') },
    gid: { ranges: rangesOf(host, '/etc/subgid', name, own), used: used('gidMap') },
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
 * Why the helpers would fail: they are not there; the ids do not exist where we are; the kernel ignores their privileges under
 * no-new-privileges; or the bounding set lacks what they need. Capabilities that we hold ourselves (AmbientCapabilities=) pass on to them.
 */
function helperProblem(
  host: Host,
  ranges: readonly { readonly start: number; readonly count: number }[],
): string | undefined {
  let setUserId = false;
  for (const name of ['newuidmap', 'newgidmap']) {
    const found = ['/usr/bin', '/usr/sbin', '/usr/local/bin'].find(directory => host.access(`${directory}/${name}`, 1));
    if (found === undefined) return `${name} is not there; install the package uidmap`;
    // With file capabilities instead it needs these alone.
    setUserId ||= ((host.stat(`${found}/${name}`)?.mode ?? 0) & 0o4000) !== 0;
  }
  const ours = readMap(host, '/proc/self/uid_map');
  if (ranges.some(range => !ours.some(line => holds(line, range))))
    return 'its subordinate ids do not exist in the user namespace that this runs in';
  const status = statusOf(host);
  const held = lacking(status, 'CapEff', MAPPING).length === 0;
  if (fieldOf(status, 'NoNewPrivs') === '1') {
    return held ? undefined : 'no-new-privileges is on, which makes newuidmap powerless';
  }
  const missing = lacking(status, 'CapBnd', setUserId ? [...MAPPING, 'CAP_SYS_ADMIN', 'CAP_DAC_OVERRIDE'] : MAPPING);
  if (missing.length === 0) return undefined;
  return `newuidmap needs ${missing.join(' ')}, which the bounding set lacks`;
}

const MAPPING = ['CAP_SETUID', 'CAP_SETGID'];

function holds(line: SpecIdMapping, range: { readonly start: number; readonly count: number }): boolean {
  return line.containerID <= range.start && range.start + range.count <= line.containerID + line.size;
}
