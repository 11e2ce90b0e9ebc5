import { isSet } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { readWay } from '../run/again.ts';
import { isRunning } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { isFrozen } from '../run/freezer.ts';
import { listPods, membersOf, readPod, requirePod, type PodRecord } from '../run/pods.ts';
import { forEachOperand } from './edge.ts';
import { storeOf } from './place.ts';
import { removePod } from './pod-end.ts';

/** What Node's verbs do with containers, done with all that run of a pod. */
const berth = (host: Host, words: readonly string[]): string[] => [host.readlink('/proc/self/exe'), ...words];

function running(host: Host, pod: PodRecord, frozen?: boolean): string[] {
  return membersOf(host, pod).members.flatMap(({ name, state }) =>
    state !== undefined && isRunning(host, state) && (frozen === undefined || isFrozen(host, state) === frozen)
      ? [name]
      : [],
  );
}

/** `berth pod pause` and `unpause`: of those members that are not as they shall be. */
export function pausePods(host: Host, command: Command, pods: readonly string[], pausing: boolean): number {
  return forEachOperand(host, pods, word => {
    const pod = requirePod(host, storeOf(host, command), word);
    const names = running(host, pod, !pausing);
    const argv = berth(host, [pausing ? 'pause' : 'unpause', '--', ...names]);
    const streams = { stdout: 'capture', stderr: 'capture' } as const;
    const done = names.length === 0 ? undefined : host.run({ argv, environment: host.environmentList(), ...streams });
    if (done !== undefined && done.status !== 0) throw new Failure(125, done.stderr.trim().replace(/^berth: /, ''));
    host.write(1, `${pod.id}\n`);
    return 0;
  });
}

/** `berth pod start`: those that do not run and whose start is known, as the peer has it; a unit's member has its unit for that. */
export function startMembers(host: Host, store: string, pod: PodRecord): void {
  const names = membersOf(host, pod).members.flatMap(({ name, state }) =>
    state !== undefined && !isRunning(host, state) && readWay(host, store, name)?.name === name ? [name] : [],
  );
  if (names.length === 0) return;
  const streams = { stdout: 'capture', stderr: 'capture' } as const;
  const argv = berth(host, ['start', '--', ...names]);
  const { status, stderr } = host.run({ argv, environment: host.environmentList(), ...streams });
  if (status !== 0)
    throw new Failure(
      125,
      stderr
        .trim()
        .replace(/^berth: /gm, '')
        .split('\n'),
    );
}

/** `berth pod stats`: of the named pods, or of all. */
export function podStats(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const words = command.operands;
  const pods = words.length === 0 ? listPods(host, store) : words.map(word => requirePod(host, store, word));
  const names = pods.flatMap(pod => running(host, pod));
  if (names.length === 0)
    throw new Failure(125, words.length === 0 ? 'no pod runs' : `${words.join(', ')}: no container of it runs`);
  const options = command.options.filter(use => use.name !== 'all').map(use => `--${use.name}=${use.value}`);
  return host.exec(berth(host, ['stats', ...options, '--', ...names]), host.environmentList());
}

/** `berth pod top`: one heading, then the processes of each member. */
export function podTop(host: Host, command: Command): number {
  const [word = '', ...fields] = command.operands;
  const names = running(host, requirePod(host, storeOf(host, command), word));
  if (names.length === 0) throw new Failure(125, `${word}: no container of it runs`);
  for (const [index, name] of names.entries()) {
    const streams = { stdout: 'capture', stderr: 'capture' } as const;
    const argv = berth(host, ['top', name, ...fields]);
    const { status, stdout, stderr } = host.run({ argv, environment: host.environmentList(), ...streams });
    if (status !== 0) throw new Failure(125, stderr.trim().replace(/^berth: /, ''));
    host.write(1, index === 0 ? stdout : stdout.slice(stdout.indexOf('\n') + 1));
  }
  return 0;
}

/** Of one that was never started nothing is there, and it stays. */
function hasEnded(host: Host, pod: PodRecord): boolean {
  const { holder, members } = membersOf(host, pod);
  const all = holder === undefined ? members : [holder, ...members];
  return all.length > 0 && all.every(({ state }) => state !== undefined && !isRunning(host, state));
}

/** `berth pod prune`: those that have run and ended. */
export function prunePods(host: Host, command: Command): number {
  if (!isSet(command, 'force')) throw new Failure(125, 'pod prune: say --force to remove every pod that has ended');
  const store = storeOf(host, command);
  const names = listPods(host, store).map(({ name }) => name);
  return forEachOperand(host, names, name => {
    // The removal of those before it takes its time: it may have been started, or removed.
    const pod = readPod(host, store, name);
    if (pod === undefined || !hasEnded(host, pod)) return 0;
    removePod(host, store, pod, false, undefined);
    host.write(1, `${pod.id}\n`);
    return 0;
  });
}
