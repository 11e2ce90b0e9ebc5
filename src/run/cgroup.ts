import { HostError, type Host } from '../host/host.ts';
import { Failure } from './failure.ts';
import type { Undo } from './undo.ts';

/**
 * The payload's control group, `UNIT/payload`, with the container's limits. Processes of ours are in `UNIT/supervisor`: a group
 * with controllers below it may hold no process itself (no internal processes rule of cgroups(7)), and an account that runs a unit with
 * `User=` may not write the limits of the unit's own group.
 */
export interface PayloadGroup {
  /** Below /sys/fs/cgroup; starts with `/`. */
  readonly path: string;
  readonly directory: string;
}

export interface Limit {
  readonly file: string;
  readonly value: string;
  readonly controller: string;
  readonly required: boolean;
}

const ROOT = '/sys/fs/cgroup';

/** The controllers that may be enabled below a unit's group; empty where nothing is delegated. */
export function availableControllers(host: Host, unitPath: string): string[] {
  const text = host.readFileIfExists(`${ROOT}${unitPath}/cgroup.controllers`) ?? '';
  return text.split(/\s+/).filter(word => word !== '');
}

/** Whether we may make groups below this one and move our own processes there. */
export function isDelegated(host: Host, unitPath: string): boolean {
  return host.access(`${ROOT}${unitPath}`, 2) && host.access(`${ROOT}${unitPath}/cgroup.procs`, 2);
}

/**
 * `ownPath`: where the launcher is now. It is moved to `supervisor` when it stands in the unit's own group. `stage`: a process in the
 * unit's own group that is to be in the payload's; it has the limits when this returns.
 */
export function makePayloadGroup(
  host: Host,
  request: { unitPath: string; ownPath: string; limits: readonly Limit[]; stage?: number },
  undo: Undo,
): PayloadGroup {
  const unit = `${ROOT}${request.unitPath}`;
  if (request.ownPath === request.unitPath) {
    host.mkdir(`${unit}/supervisor`, 0o755);
    host.writeFile(`${unit}/supervisor/cgroup.procs`, '0');
  }
  const path = `${request.unitPath}/payload`;
  const directory = `${unit}/payload`;
  if (!host.mkdir(directory, 0o755)) emptyGroup(host, directory);
  undo.add(directory, () => removeGroup(host, directory));
  // Controllers can be enabled only when the unit's own group is empty.
  if (request.stage !== undefined) host.writeFile(`${directory}/cgroup.procs`, String(request.stage));
  enableControllers(host, unit, request.limits);
  for (const limit of request.limits) writeLimit(host, directory, limit);
  return { path, directory };
}

/** Kills all that is left in a group and removes it; absent is fine. */
export function removeGroup(host: Host, directory: string): void {
  if (host.stat(directory) === undefined) return;
  try {
    // Nearly always it is empty already.
    host.rmdir(directory);
    return;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  killGroup(host, directory);
  for (const child of host.list(directory)) {
    if (child.kind === 'directory') removeGroup(host, `${directory}/${child.name}`);
  }
  host.rmdir(directory);
}

/** SIGKILL to every process of the group, and return when they are gone; false when the group is absent. */
export function killGroup(host: Host, directory: string): boolean {
  const processes = readProcesses(host, directory);
  if (processes === undefined) return false;
  const watched = processes.map(pid => host.openProcess(pid)).filter(fd => fd !== undefined);
  try {
    host.writeFile(`${directory}/cgroup.kill`, '1');
    waitForEnd(host, watched);
  } finally {
    for (const fd of watched) host.close(fd);
  }
  return true;
}

function waitForEnd(host: Host, watched: readonly number[]): void {
  let left = [...watched];
  while (left.length > 0) {
    const ended = host.poll(left, 10_000);
    // A process in an uninterruptible call; its group stays and the next start finds it.
    if (ended.length === 0) return;
    left = left.filter(fd => !ended.includes(fd));
  }
}

/** Host pids in the group and below; undefined when it does not exist. */
export function readProcesses(host: Host, directory: string): number[] | undefined {
  const text = host.readFileIfExists(`${directory}/cgroup.procs`);
  if (text === undefined) return undefined;
  const found = text
    .split('\n')
    .filter(line => line !== '')
    .map(Number);
  for (const entry of host.list(directory)) {
    if (entry.kind === 'directory') found.push(...(readProcesses(host, `${directory}/${entry.name}`) ?? []));
  }
  return found;
}

/** A group that a killed start left: its limits must not be inherited. */
function emptyGroup(host: Host, directory: string): void {
  removeGroup(host, directory);
  host.mkdir(directory, 0o755);
}

export function enableControllers(host: Host, unit: string, limits: readonly Limit[]): void {
  const wanted = new Set(limits.map(limit => limit.controller).filter(name => name !== ''));
  if (wanted.size === 0) return;
  const enabled = (host.readFileIfExists(`${unit}/cgroup.subtree_control`) ?? '').split(/\s+/);
  for (const name of wanted) {
    if (enabled.includes(name)) continue;
    try {
      host.writeFile(`${unit}/cgroup.subtree_control`, `+${name}`);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const asked = limits.find(limit => limit.controller === name && limit.required);
      if (asked !== undefined) {
        throw new Failure(125, `${asked.file}: the ${name} controller is not available to this unit: ${error.message}`);
      }
    }
  }
}

export function writeLimit(host: Host, directory: string, limit: Limit): void {
  try {
    host.writeFile(`${directory}/${limit.file}`, limit.value);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (limit.required) throw new Failure(125, `cannot set ${limit.file} to ${limit.value}: ${error.message}`);
  }
}
