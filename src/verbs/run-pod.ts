import { POD_CREATE } from '../command/options-pod.ts';
import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { findContainer, isRunning } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { isPodOption } from '../run/pod-join.ts';
import type { PodRecord } from '../run/pods.ts';

const NEW = 'new:';

/** `--pod new:NAME`: the pod is made, and gets what of the options can only be a pod's. */
export function withNewPod(host: Host, command: Command): Command {
  const use = command.options.findLast(one => one.name === 'pod' && one.value.startsWith(NEW));
  if (use === undefined) return command;
  const name = use.value.slice(NEW.length);
  if (name === '') throw new Failure(125, '--pod new: names no pod; write new:NAME');
  const known = new Set(POD_CREATE.options.map(row => row.name));
  const theirs = command.options.filter(one => isPodOption(one.name) && known.has(one.name));
  runPodVerb(host, ['create', `--name=${name}`, ...theirs.map(one => `--${one.name}=${one.value}`)]);
  const options = command.options.filter(one => !theirs.includes(one));
  return { ...command, options: options.map(one => (one === use ? { ...one, value: name } : one)) };
}

/** A person's container starts its pod, as the peer has it; a unit has its pod's unit for that. */
export function startPodOf(host: Host, pod: PodRecord): void {
  const holder = findContainer(host, pod.infraName)?.state;
  if (holder === undefined || !isRunning(host, holder)) runPodVerb(host, ['start', pod.name]);
}

function runPodVerb(host: Host, words: readonly string[]): void {
  const argv = [host.readlink('/proc/self/exe'), 'pod', ...words];
  const { status, stderr } = host.run({
    argv,
    environment: host.environmentList(),
    stdout: 'capture',
    stderr: 'capture',
  });
  if (status !== 0) throw new Failure(125, stderr.trim().replace(/^berth: /, ''));
}
