import { HostError, type Host } from '../host/host.ts';
import { Failure } from './failure.ts';

/** Ids inside, ids outside (of our own namespace), how many. */
export type IdMap = readonly (readonly [inside: number, outside: number, count: number])[];

/** Gives a new user namespace its maps. */
export function writeIdMaps(host: Host, pid: number, uidMap: IdMap, gidMap: IdMap): void {
  beginIdMaps(host, pid, uidMap, gidMap)();
}

/**
 * Begins to give a new user namespace its maps; the result waits until it has them. Root writes them; an account maps its own id alone by
 * itself, and asks newuidmap(1) and newgidmap(1), side by side, for anything more.
 */
export function beginIdMaps(host: Host, pid: number, uidMap: IdMap, gidMap: IdMap): () => void {
  const helpers = host.euid !== 0 && !(isOwnId(uidMap, host.euid) && isOwnId(gidMap, host.gid));
  if (helpers) return startHelpers(host, pid, uidMap, gidMap);
  // An account that maps its own group must give up setgroups(2) first (user_namespaces(7)).
  if (host.euid !== 0) host.writeFile(`/proc/${pid}/setgroups`, 'deny');
  writeMap(host, `/proc/${pid}/uid_map`, uidMap);
  writeMap(host, `/proc/${pid}/gid_map`, gidMap);
  return () => undefined;
}

function isOwnId(map: IdMap, id: number): boolean {
  const [only] = map;
  return map.length === 1 && only?.[1] === id && only[2] === 1;
}

function writeMap(host: Host, path: string, map: IdMap): void {
  try {
    host.writeFile(path, map.map(line => line.join(' ')).join('\n'));
  } catch (error) {
    if (error instanceof HostError) throw new Failure(125, `cannot map ids ${text(map)}: ${error.message}`);
    throw error;
  }
}

function startHelpers(host: Host, pid: number, uidMap: IdMap, gidMap: IdMap): () => void {
  const words = (program: string, map: IdMap): string[] => [program, String(pid), ...map.flat().map(String)];
  const first = start(host, words('newuidmap', uidMap));
  let second: ReturnType<typeof start>;
  try {
    second = start(host, words('newgidmap', gidMap));
  } catch (error) {
    finish(host, first, 'newuidmap', uidMap);
    throw error;
  }
  return () => {
    try {
      finish(host, first, 'newuidmap', uidMap);
    } catch (error) {
      host.wait(second);
      host.close(second.pidfd);
      throw error;
    }
    finish(host, second, 'newgidmap', gidMap);
  };
}

function start(host: Host, argv: string[]): ReturnType<Host['spawn']> {
  try {
    return host.spawn({ argv });
  } catch (error) {
    if (error instanceof HostError && error.code === 'ENOENT') {
      throw new Failure(125, `${String(argv[0])}: not found; install the package uidmap`);
    }
    throw error;
  }
}

function finish(host: Host, child: ReturnType<Host['spawn']>, name: string, map: IdMap): void {
  const end = host.wait(child);
  host.close(child.pidfd);
  if (end.status === 0) return;
  throw new Failure(125, `${name} refused the ids ${text(map)}; see /etc/subuid and /etc/subgid for uid ${host.euid}`);
}

function text(map: IdMap): string {
  return map.map(([inside, outside, count]) => `${inside}:${outside}:${count}`).join(' ');
}
