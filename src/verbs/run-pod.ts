import { POD_CREATE } from '../command/options-pod.ts';
import type { Command, OptionUse } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import type { RunRequest } from '../plan/request.ts';
import { Failure, failureOf } from '../run/failure.ts';
import { isPodOption, NEW, podUse, refuseOwn } from '../run/pod-join.ts';
import { DEFAULT_SHARE, readPod, requirePod } from '../run/pods.ts';
import { withUndo } from '../run/start.ts';
import { runPodVerb, startPodOf } from './pod-holder.ts';
import { readerOf } from './reader.ts';
import { joined, type Parsed } from './run-request.ts';

/** The pod of `--pod new:NAME`, which is not made yet. */
interface NewPod {
  readonly name: string;
  /** Of its first member, which leaves to it what can only be a pod's. */
  readonly member: Command;
  readonly options: readonly OptionUse[];
}

/** What a person's `run` or `create` does about its pod; `alone`: the member's command line as far as it can be read without that pod. */
export interface PodWish {
  readonly given: Command;
  readonly alone: Command;
  readonly made?: NewPod;
}

/** Nothing is made here: what is wrong is said before the first step. */
export function podWish(host: Host, store: string, given: Command): PodWish {
  const use = podUse(given);
  if (use?.name !== 'pod' || !use.value.startsWith(NEW)) return { given, alone: given };
  const name = use.value.slice(NEW.length);
  if (name === '') throw new Failure(125, '--pod new: names no pod; write new:NAME');
  if (readPod(host, store, name) !== undefined) throw new Failure(125, `${name}: there is a pod of this name`);
  const known = new Set(POD_CREATE.options.map(row => row.name));
  const options = given.options.filter(one => isPodOption(one.name) && known.has(one.name));
  const rest = given.options.filter(one => !options.includes(one));
  const alone = { ...given, options: rest.filter(one => one.name !== 'pod' && one.name !== 'pod-id-file') };
  refuseOwn(name, DEFAULT_SHARE, alone);
  const parsed = parseRunRequest({ ...given, options, operands: ['image'] }, readerOf(host), name);
  if (parsed.isErr()) throw failureOf(parsed.error);
  const member = { ...given, options: rest.map(one => (one === use ? { ...one, value: name } : one)) };
  return { given, alone, made: { name, member, options } };
}

/**
 * Goes on with a container whose pod runs: it is made and started when nothing else is left to be refused or fetched. A pod that was
 * made for it goes again when it fails.
 */
export function inPod(
  host: Host,
  store: string,
  { given, made }: PodWish,
  parsed: Parsed,
  then: (asked: RunRequest, command: Command) => number,
): number {
  const program = host.readlink('/proc/self/exe');
  if (made === undefined) {
    if (parsed.pod !== undefined) startPodOf(host, program, parsed.pod);
    return then(joined(host, parsed), given);
  }
  const { name, member, options } = made;
  runPodVerb(host, program, ['create', `--name=${name}`, ...options.map(asWord)]);
  try {
    const pod = requirePod(host, store, name);
    startPodOf(host, program, pod);
    return then(joined(host, { ...parsed, pod }), member);
  } catch (error) {
    throw withUndo(error, removed(host, program, name));
  }
}

/** What could not be removed. */
function removed(host: Host, program: string, name: string): string[] {
  try {
    runPodVerb(host, program, ['rm', '--force', '--time=0', name]);
    return [];
  } catch (error) {
    if (error instanceof Failure) return [...error.lines];
    throw error;
  }
}

const asWord = (use: OptionUse): string => `--${use.name}=${use.value}`;
