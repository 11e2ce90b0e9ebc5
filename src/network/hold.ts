/**
 * Theory of operation: berth-netns.service, which systemd starts before the first container in a network of an account and stops when no unit
 * needs it any more (StopWhenUnneeded=).
 *
 * ExecStart=, `berth network hold`: to systemd the unit is there at once (Type=simple), so that it executes us, the containers and the server of the names (names.ts) side by side:
 * the kernel makes each of them wait as long as our work takes. Who comes first waits until we have made a holder with a new user and network namespace and written netns.json, and
 * then works in it, beside pasta, the way out, which becomes the unit's main process (it is what can fail). We stay until it is there and the names are served: that is what other
 * locks tell (naming.ts), and what a container waits for at last.
 * ExecStopPost=, `berth network release`: containers that are still there lost their network. They are killed, so that their units fail and
 * Restart= brings them back with a new one. (At an ordinary stop there are none: they stop first.)
 */
import type { Problem } from '../base/problem.ts';
import type { Result } from '../base/result.ts';
import { CLONE, type Host, type Launched } from '../host/host.ts';
import { storeMap } from '../image/store-map.ts';
import { encodeOps, op } from '../ops/encode.ts';
import type { Op } from '../ops/ops.ts';
import type { SpecIdMapping } from '../plan/spec.ts';
import { awaitSync } from '../run/dialogue.ts';
import { Failure, failureOf } from '../run/failure.ts';
import { writeIdMaps, type IdMap } from '../run/ids.ts';
import { listContainers } from '../run/containers.ts';
import { hostResolvers } from './etc-files.ts';
import { networkDirectory, readState, withNetworkLock, writeState } from './ipam.ts';
import { announceNames, waitForNames } from './naming.ts';
import { namespacePath, wakeWaiters, type NamespaceRecord } from './namespace.ts';
import { startWayOut } from './pasta.ts';

/** Makes the namespaces and what runs in them, for systemd. */
export function holdNamespace(host: Host): void {
  const way = announceNames(host);
  const resolver = hostResolvers(host).target;
  const holder = withNetworkLock(host, () => {
    clean(host);
    return make(host, resolver);
  });
  wakeWaiters(host);
  try {
    const pasta = unwrap(startWayOut(host, holder.pid, `${networkDirectory(host)}/pasta.pid`));
    host.notify(`MAINPID=${pasta}`, true);
  } catch (error) {
    // Who came meanwhile looks once more (account-bridge.ts).
    host.unlink(namespacePath(host));
    host.signal(holder.pidfd, 9);
    throw error;
  }
  way.release();
  waitForNames(host);
}

/** The process that holds them; others know it. */
function make(host: Host, resolver: string): Launched {
  const map = storeMap(host);
  const uidMap = lines(map.uid);
  const gidMap = lines(map.gid);
  const holder = startHolder(host, uidMap, gidMap);
  try {
    host.proceed(holder, 'created');
    const said = host.outcome(holder);
    if (said !== '') throw new Failure(125, `the holder of the network namespace could not start: ${said}`);
    const record: NamespaceRecord = {
      version: 1,
      pid: holder.pid,
      startTime: host.startTime(holder.pid) ?? '',
      uidMap: spec(uidMap),
      gidMap: spec(gidMap),
      resolver,
    };
    host.writeFileAtomic(namespacePath(host), JSON.stringify(record), 0o600);
    return holder;
  } catch (error) {
    host.signal(holder.pidfd, 9);
    throw error;
  }
}

/** Nothing of an earlier namespace counts any more. */
function clean(host: Host): void {
  const directory = networkDirectory(host);
  host.unlink(namespacePath(host));
  for (const name of ['aardvark-dns', 'firewall']) host.removeTree(`${directory}/${name}`);
  writeState(host, { ...readState(host), attachments: {} });
}

function startHolder(host: Host, uidMap: IdMap, gidMap: IdMap): Launched {
  const ops: Op[] = [op('become-root'), op('loopback-up'), op('sync', 'created'), op('session'), op('hold')];
  const holder = host.launch({
    namespaces: CLONE.NEWUSER | CLONE.NEWNET,
    sibling: true,
    ops: encodeOps(ops),
    stdio: ['null', 'null', 'inherit'],
    descriptors: [],
  });
  writeIdMaps(host, holder.pid, uidMap, gidMap);
  host.proceed(holder, 'ids');
  awaitSync(host, holder, 'created', { fds: new Map(), pid: 0 });
  return holder;
}

const lines = (ranges: readonly { inside: number; outside: number; count: number }[]): IdMap =>
  ranges.map(({ inside, outside, count }) => [inside, outside, count]);

const spec = (map: IdMap): SpecIdMapping[] => map.map(([containerID, hostID, size]) => ({ containerID, hostID, size }));

function unwrap<T>(result: Result<T, Problem>): T {
  if (result.isErr()) throw failureOf([result.error]);
  return result.value;
}

/** The namespaces are gone: so are the containers that were in them. */
export function releaseNamespace(host: Host): void {
  host.unlink(namespacePath(host));
  wakeWaiters(host);
  const bundles = new Set(Object.values(readState(host).attachments).map(one => one.bundle));
  for (const { bundle, state } of listContainers(host)) {
    if (state === undefined || !bundles.has(bundle)) continue;
    if (state.cgroup !== '') host.writeFile(`/sys/fs/cgroup${state.cgroup}/cgroup.kill`, '1');
    else kill(host, state.pid, state.startTime);
  }
}

function kill(host: Host, pid: number, startTime: string): void {
  const fd = host.openProcess(pid);
  if (fd === undefined) return;
  if (host.startTime(pid) === startTime) host.signal(fd, 9);
  host.close(fd);
}
