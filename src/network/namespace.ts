/**
 * The namespaces of an account's networks: a user namespace with all ids of the account, and in it a network namespace with the bridges.
 * They are held by the unit berth-netns.service (hold.ts); netns.json in the runtime directory says by which process. Containers make their user
 * namespace below that one, so netavark, which runs in it, may set up their interfaces.
 */
import { problem, type Problem } from '../base/problem.ts';
import { err, ok, type Result } from '../base/result.ts';
import { isNamedNetwork, NAMESPACE_UNIT } from '../command/networks.ts';
import { HostError, type Host } from '../host/host.ts';
import type { Nest } from '../ops/compile.ts';
import { isNew } from '../ops/compile.ts';
import { relative } from '../plan/id-maps.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Spec, SpecIdMapping } from '../plan/spec.ts';
import { findContext } from '../run/context.ts';
import { networkDirectory } from './ipam.ts';

export interface NamespaceRecord {
  readonly version: 1;
  /** The holder, as others see it. */
  readonly pid: number;
  readonly startTime: string;
  readonly uidMap: readonly SpecIdMapping[];
  readonly gidMap: readonly SpecIdMapping[];
  /** The server that its pasta forwards to. */
  readonly resolver?: string;
}

export const namespacePath = (host: Host): string => `${networkDirectory(host)}/netns.json`;

/** Undefined when no living process holds it. */
export function readNamespace(host: Host): NamespaceRecord | undefined {
  const text = host.readFileIfExists(namespacePath(host));
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as NamespaceRecord;
    return record.version === 1 && host.startTime(record.pid) === record.startTime ? record : undefined;
  } catch {
    return undefined;
  }
}

/** On a busy machine. */
const PATIENCE = 30_000;
const waitersPath = (host: Host): string => `${networkDirectory(host)}/waiting`;

/** Undefined when it could not be made. systemd executes us beside `network hold` (hold.ts): who comes before it waits at a socket for its word. */
export function awaitNamespace(host: Host): NamespaceRecord | undefined {
  const there = readNamespace(host);
  if (there !== undefined || !isComing(host)) return there;
  host.mkdirs(waitersPath(host), 0o700);
  const path = `${waitersPath(host)}/${host.pid}`;
  host.unlink(path);
  const fd = host.bindUnix(path, 'datagram', 0o600);
  try {
    const found = readNamespace(host);
    if (found !== undefined) return found;
    host.poll([fd], PATIENCE);
    return readNamespace(host);
  } finally {
    host.close(fd);
    host.unlink(path);
  }
}

const isComing = (host: Host): boolean => isRun(host, unitName(host));

/** systemd keeps a link for each unit that it runs. `unit`: one of the account's networks. */
export function isRun(host: Host, unit: string): boolean {
  const directory = unit.includes('@') ? '/run/systemd/units' : `/run/user/${host.euid}/systemd/units`;
  return host.lstat(`${directory}/invocation:${unit}`) !== undefined;
}

/** The unit that holds the namespace: of the account's manager, or of the system's for a unit with User=. */
export function unitName(host: Host): string {
  const { own, inUnit } = findContext(host);
  return inUnit && own.manager === 'system' ? `berth-netns@${host.euid}.service` : NAMESPACE_UNIT;
}

/** The namespace is there, or will not be: who waits looks again. */
export function wakeWaiters(host: Host): void {
  const directory = waitersPath(host);
  if (host.stat(directory) === undefined) return;
  for (const { name } of host.list(directory)) {
    try {
      const fd = host.connectUnix(`${directory}/${name}`, 'datagram');
      host.send(fd, 'look');
      host.close(fd);
    } catch (error) {
      // It was killed.
      if (!(error instanceof HostError)) throw error;
      host.unlink(`${directory}/${name}`);
    }
  }
}

/** The user namespace that a container in named networks of an account is made below. */
export function nest(host: Host, request: RunRequest, spec: Spec): Result<Nest | undefined, Problem> {
  const named = request.networks.find(isNamedNetwork);
  if (host.euid === 0 || named === undefined) return ok(undefined);
  const record = awaitNamespace(host);
  if (record === undefined) return err(missing(host, named));
  if (!isNew(spec, 'user')) {
    const hint = 'leave --userns out, or use --network pasta';
    return err(
      problem('network-userns', `--network ${named}: the container has no user namespace of its own`, { hint }),
    );
  }
  const { uidMappings = [], gidMappings = [] } = spec.linux;
  const [uids, gids] = [relative(uidMappings, record.uidMap), relative(gidMappings, record.gidMap)];
  if (uids === undefined || gids === undefined) {
    const hint = `the account got other ids since ${NAMESPACE_UNIT} was started; restart that`;
    return err(problem('network-ids', `--network ${named}: the ids are not those of the account's networks`, { hint }));
  }
  return ok({ user: `/proc/${record.pid}/ns/user`, maps: `${text(uids)};${text(gids)}` });
}

export function missing(host: Host, network: string): Problem {
  // Ids of DynamicUser= (systemd's UIDS-GIDS.md): no unit can be given the same one.
  if (host.euid >= 61184 && host.euid <= 65519) {
    const hint = 'use User= of an account, or --network pasta, host or none';
    return problem('network-dynamic', `--network ${network}: a unit with DynamicUser= has no networks`, { hint });
  }
  const unit = unitName(host);
  return problem('network-namespace', `--network ${network}: the network namespace of this account is not there`, {
    hint: `the unit needs Wants=${unit} and After=${unit}, which the generator writes; where it has them the log of ${unit} tells why it failed`,
  });
}

/** All ids of the namespace as they are, as `nest` wants them. */
export function sameIds({ uidMap, gidMap }: NamespaceRecord): string {
  const same = (map: readonly SpecIdMapping[]): string =>
    text(map.map(({ containerID, size }) => ({ containerID, hostID: containerID, size })));
  return `${same(uidMap)};${same(gidMap)}`;
}

const text = (map: readonly SpecIdMapping[]): string =>
  map.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`).join(',');
