import { lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { readSignal } from '../plan/parse-values.ts';
import { findContainer, isRunning, openPayload } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { endWaiting, stopContainer } from '../run/ending.ts';
import { Failure } from '../run/failure.ts';
import { lockName } from '../run/locks.ts';
import { membersOf, podPath, requirePod, type PodRecord } from '../run/pods.ts';
import { removeContainer } from '../run/remove.ts';
import { forEachOperand } from './edge.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { journalCommand } from '../systemd/journal-hint.ts';

const SIGTERM = 15;
const SIGKILL = 9;

/**
 * In the pod's own unit systemd has stopped the members before us (BindsTo=, After=): what is left is the holder. A person's command asks
 * systemd for the unit; where there is none the members are stopped one by one.
 */
export function stopPod(host: Host, pod: PodRecord, timeout: number | undefined): void {
  const context = findContext(host);
  const ours = context.inUnit && context.own.unit === pod.unit;
  if (!ours && pod.unit !== '') return stopUnit(host, 'stop', pod.unit, pod.manager);
  for (const { state } of ours ? [] : membersOf(host, pod).members) {
    if (state === undefined) continue;
    if (isRunning(host, state)) stopContainer(host, context, state, timeout);
    else endWaiting(host, context, state);
  }
  // Of a pod that a person started: the unit has ended, too, when its next start comes.
  const holder = findContainer(host, pod.infraName)?.state;
  if (holder !== undefined && holder.unit === transientUnit(pod) && context.own.unit !== holder.unit)
    stopUnit(host, 'stop', holder.unit, holder.manager);
  endHolder(host, pod);
}

/** The unit of `pod start` typed by a person. */
export const transientUnit = (pod: PodRecord): string => `${pod.name}-pod.service`;

function endHolder(host: Host, pod: PodRecord): void {
  const state = findContainer(host, pod.infraName)?.state;
  const pidfd = state === undefined ? undefined : openPayload(host, state);
  if (pidfd === undefined) return;
  host.signal(pidfd, SIGTERM);
  if (host.poll([pidfd], 5000).length === 0) {
    host.signal(pidfd, SIGKILL);
    host.poll([pidfd], 10_000);
  }
  host.close(pidfd);
}

/** `systemctl start|stop|restart UNIT` of the manager that has it. */
export function stopUnit(
  host: Host,
  verb: 'start' | 'stop' | 'restart',
  unit: string,
  manager: PodRecord['manager'],
): void {
  const argv = ['systemctl', ...(manager === 'user' ? ['--user'] : []), '--no-ask-password', verb, unit];
  if (host.run({ argv, environment: host.environmentList(), stdout: 'capture' }).status !== 0) {
    throw new Failure(125, `systemctl could not ${verb} ${unit}; see ${journalCommand(manager, unit)}`);
  }
}

/** What the pod has left: the holder's network, its bundle, and the record last. */
export function removePod(
  host: Host,
  store: string,
  pod: PodRecord,
  force: boolean,
  timeout: number | undefined,
): void {
  const context = findContext(host);
  const { holder, members } = membersOf(host, pod);
  const ours = context.inUnit && context.own.unit === pod.unit;
  const running = [holder, ...members].filter(one => one?.state !== undefined && isRunning(host, one.state));
  const runs = new Failure(125, `${pod.name}: the pod runs; stop it first, or give --force`);
  if (running.length > 0 && !force) throw runs;
  if (running.length > 0) stopPod(host, pod, timeout);
  // One that waits for its next start does not run, and would not find the pod.
  for (const { state } of ours ? [] : members) if (state !== undefined) endWaiting(host, context, state);
  const lines: string[] = [];
  // In the pod's unit the members are their own units' to remove.
  const names = [...(ours ? [] : members.map(one => one.name)), pod.infraName];
  for (const name of names) {
    const lock = lockName(host, store, name);
    try {
      const now = findContainer(host, name);
      // Started since.
      if (!force && now?.state !== undefined && isRunning(host, now.state)) throw runs;
      if (now !== undefined && now.name === name) lines.push(...removeContainer(host, PARTS, store, now, true));
    } finally {
      lock.release();
    }
  }
  if (pod.pidFile !== undefined) host.unlink(pod.pidFile);
  host.unlink(podPath(store, pod.name));
  if (lines.length > 0) throw new Failure(125, lines);
}

/** `berth pod kill`: the members; the holder has nothing to lose. */
export function killPods(host: Host, command: Command, words: readonly string[]): number {
  const text = lastValue(command, 'signal') ?? 'KILL';
  const signal = readSignal(text);
  if (signal === undefined) throw new Failure(125, `--signal ${text}: not a signal such as SIGTERM or 15`);
  return forEachOperand(host, words, word => {
    const pod = requirePod(host, storeOf(host, command), word);
    for (const { state } of membersOf(host, pod).members) {
      const pidfd = state === undefined ? undefined : openPayload(host, state);
      if (pidfd === undefined) continue;
      host.signal(pidfd, signal);
      host.close(pidfd);
    }
    host.write(1, `${word}\n`);
    return 0;
  });
}
