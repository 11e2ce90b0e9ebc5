import { HostError, type Host } from '../host/host.ts';
import { Failure } from './failure.ts';
import type { ContainerState } from './state.ts';

/**
 * The freezer of a payload's control group (cgroup-v2.rst, "cgroup.freeze"): all its processes stop where they are, and do not know of it.
 */
export function isFrozen(host: Host, state: ContainerState): boolean {
  if (state.cgroup === '') return false;
  return host.readFileIfExists(fileOf(state))?.trim() === '1';
}

/** What joins a frozen group stops there itself, and whoever started it waits for ever. `word`: as the caller named it. */
export function refuseFrozen(host: Host, state: ContainerState, word: string): void {
  if (isFrozen(host, state))
    throw new Failure(125, `${word}: container is paused; nothing would run in it until berth unpause ${word}`);
}

/** They are told to stop, which `hasFrozen` sees, or to go on. A Failure when the group is not there or not ours. */
export function freeze(host: Host, state: ContainerState, frozen: boolean): void {
  if (state.cgroup === '') throw new Failure(125, `${state.name}: has no control group that could be frozen`);
  try {
    host.writeFile(fileOf(state), frozen ? '1' : '0');
  } catch (error) {
    if (error instanceof HostError) throw new Failure(125, `${state.name}: ${error.message}`);
    throw error;
  }
}

/** Whether they have all stopped; a process in the middle of a system call that waits comes later. */
export function hasFrozen(host: Host, state: ContainerState): boolean {
  return /^frozen 1$/m.test(host.readFileIfExists(`/sys/fs/cgroup${state.cgroup}/cgroup.events`) ?? '');
}

function fileOf(state: ContainerState): string {
  return `/sys/fs/cgroup${state.cgroup}/cgroup.freeze`;
}
