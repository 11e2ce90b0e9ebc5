import { HostError, type Host } from '../host/host.ts';
import { killGroup } from './cgroup.ts';
import { openPayload } from './containers.ts';
import { Failure } from './failure.ts';
import { freeze, isFrozen } from './freezer.ts';
import { patienceOf } from './patience.ts';
import type { ContainerState } from './state.ts';

const SIGKILL = 9;

/**
 * Stop signal, at most `timeout` seconds of patience (negative: any), then cgroup.kill on the payload's group. Returns when the payload is gone;
 * false when it did not run. Without a group (a host without systemd) the payload alone is killed: as pid 1 of its
 * namespace it takes the others with it.
 */
export function stopPayload(host: Host, state: ContainerState, signal: number, timeout: number): boolean {
  const pidfd = openPayload(host, state);
  if (pidfd === undefined) return false;
  try {
    let patience = patienceOf(timeout);
    if (state.health !== undefined) host.writeFileAtomic(state.health.stopping, '', 0o600);
    // A pid 1 without a handler ignores the signal: nothing to wait for, but only it knows.
    if (signal === SIGKILL) patience = 0;
    else {
      host.signal(pidfd, signal);
      // Processes that are paused take no signal but this one's big brother.
      if (patience !== 0 && isFrozen(host, state)) freeze(host, state, false);
    }
    if (patience !== 0 && host.poll([pidfd], patience).length > 0) return true;
    killAll(host, state, pidfd);
  } finally {
    host.close(pidfd);
  }
  return true;
}

function killAll(host: Host, state: ContainerState, pidfd: number): void {
  if (state.cgroup !== '') {
    try {
      killGroup(host, `/sys/fs/cgroup${state.cgroup}`);
    } catch (error) {
      // Not ours to write (another mount of the tree): the payload itself can still be killed.
      if (!(error instanceof HostError)) throw error;
    }
  }
  host.signal(pidfd, SIGKILL);
  if (host.poll([pidfd], 30_000).length === 0) {
    throw new Failure(125, `${state.name}: process ${state.pid} does not end even by SIGKILL`);
  }
}

/** Signals the payload; a Failure when it is gone. */
export function signalPayload(host: Host, state: ContainerState, signal: number): void {
  const pidfd = openPayload(host, state);
  if (pidfd === undefined) throw new Failure(125, `${state.name}: container is not running`);
  try {
    if (!host.signal(pidfd, signal)) throw new Failure(125, `${state.name}: container is not running`);
  } finally {
    host.close(pidfd);
  }
}
