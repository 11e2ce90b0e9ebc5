import { POD_VERBS } from '../command/options-pod.ts';
import { allValues, isSet, lastValue } from '../command/read.ts';
import type { Command } from '../command/types.ts';
import type { Bytes, Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import { findContainer, isName, isRunning } from '../run/containers.ts';
import { findContext } from '../run/context.ts';
import { Failure, failureOf } from '../run/failure.ts';
import { podIdIn } from '../run/pod-join.ts';
import { startHolder } from '../run/pod-start.ts';
import {
  findPod,
  listPods,
  checkInfra,
  parseExitPolicy,
  parseShare,
  POD_OWN,
  readPod,
  requirePod,
  writePod,
  type PodRecord,
} from '../run/pods.ts';
import { forEachOperand } from './edge.ts';
import { family } from './family.ts';
import { PARTS } from './parts.ts';
import { storeOf } from './place.ts';
import { killPods, removePod, stopPod, stopUnit } from './pod-end.ts';
import { ALONE } from './pod-holder.ts';
import { pausePods, podStats, podTop, prunePods, startMembers } from './pod-members.ts';
import { inspectPods, listAllPods, podLogs } from './pod-show.ts';
import { startPodDetached } from './pod-detached.ts';
import { readerOf } from './reader.ts';
import { secondsOf } from './select.ts';

/** `berth pod …` (podman-pod(1)), and what `.pod` units run. */
export const main: (host: Host) => number = family('pod', POD_VERBS, {
  create,
  exists: (host, command) => (findPod(host, storeOf(host, command), command.operands[0] ?? '') === undefined ? 1 : 0),
  inspect: inspectPods,
  kill: (host, command) => killPods(host, command, chosen(host, command)),
  logs: podLogs,
  ls: listAllPods,
  pause: (host, command) => pausePods(host, command, chosen(host, command), true),
  prune: prunePods,
  restart,
  rm: remove,
  start: (host, command) => forEachOperand(host, chosen(host, command), word => start(host, command, word)),
  stats: podStats,
  stop,
  top: podTop,
  unpause: (host, command) => pausePods(host, command, chosen(host, command), false),
});

/** The pods that a command line means. */
function chosen(host: Host, command: Command): readonly string[] {
  const all = isSet(command, 'all');
  const files = allValues(command, 'pod-id-file');
  const there = isSet(command, 'ignore') ? files.filter(file => host.stat(file) !== undefined) : files;
  const words = [...command.operands, ...there.map(file => podIdIn(host, file))];
  if (all && words.length > 0) throw new Failure(125, '--all and names of pods exclude each other');
  if (!all && words.length === 0 && files.length === 0) throw new Failure(125, 'name at least one pod, or give --all');
  return all ? listPods(host, storeOf(host, command)).map(pod => pod.name) : words;
}

function create(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const record = wanted(host, command);
  const before = readPod(host, store, record.name);
  if (before !== undefined && !isSet(command, 'replace'))
    throw new Failure(125, `${record.name}: there is a pod of this name; give --replace`);
  const idFile = lastValue(command, 'pod-id-file');
  if (idFile !== undefined && !isSet(command, 'replace') && host.lstat(idFile) !== undefined)
    throw new Failure(125, `--pod-id-file ${idFile}: the file is there; remove it, or give --replace`);
  // All that is wrong with the options is said now, not at the start.
  requestOf(host, record);
  // Where it cannot be written nothing has happened to the pod of before.
  const earlier = idFile === undefined ? undefined : host.readFileIfExists(idFile, 4096);
  if (idFile !== undefined) host.writeFileAtomic(idFile, record.id, 0o644);
  try {
    const old = before === undefined ? undefined : findContainer(host, before.infraName)?.state;
    if (before !== undefined && old !== undefined && isRunning(host, old)) stopPod(host, before, undefined);
    writePod(host, store, record);
  } catch (error) {
    if (idFile !== undefined && earlier === undefined) host.unlink(idFile);
    else if (idFile !== undefined) host.writeFileAtomic(idFile, earlier ?? '', 0o644);
    throw error;
  }
  if (!findContext(host).inUnit) host.write(1, `${record.id}\n`);
  return 0;
}

function wanted(host: Host, command: Command): PodRecord {
  const id = host.random(32);
  const name = lastValue(command, 'name') ?? command.operands[0] ?? `pod-${id.slice(0, 12)}`;
  const infraName = lastValue(command, 'infra-name') ?? `${name}-infra`;
  for (const one of [name, infraName]) {
    if (!isName(one))
      throw new Failure(125, `${one}: not a name; names match [a-zA-Z0-9][a-zA-Z0-9_.-]* and have at most 255 bytes`);
  }
  const exitPolicy = parseExitPolicy(lastValue(command, 'exit-policy') ?? 'continue');
  checkInfra(lastValue(command, 'infra'));
  const share = lastValue(command, 'share');
  const pidFile = lastValue(command, 'infra-conmon-pidfile');
  const context = findContext(host);
  const labels = labelsOf(host, command);
  return {
    version: 1,
    id,
    name,
    infraName,
    created: Math.floor(host.now()),
    labels,
    exitPolicy,
    ...(share === undefined ? {} : { share: parseShare(share) }),
    ...(pidFile === undefined ? {} : { pidFile }),
    unit: context.inUnit ? context.own.unit : '',
    manager: context.inUnit ? context.own.manager : '',
    options: command.options
      .filter(use => !POD_OWN.includes(use.name) && use.name !== 'label-file')
      .map(({ name: key, value }) => ({ name: key, value: key === 'hosts-file' ? hostsFile(host, value) : value })),
  };
}

/** The pod is started somewhere else. */
function hostsFile(host: Host, value: Bytes): Bytes {
  if (value === 'image') throw new Failure(125, '--hosts-file image: a pod has no image; give a file or none');
  return value === '' || value === 'none' || value.startsWith('/') ? value : `${readerOf(host).cwd()}/${value}`;
}

/** The files are read once: they need not be there at a start. */
function labelsOf(host: Host, command: Command): Readonly<Record<string, string>> {
  const options = command.options.filter(use => use.name === 'label' || use.name === 'label-file');
  const request = parseRunRequest({ globals: [], verb: 'run', options, operands: ['image'] }, readerOf(host), 'pod');
  if (request.isErr()) throw failureOf(request.error);
  return request.value.labels;
}

/** What the options of a pod mean for its holder. */
function requestOf(host: Host, pod: PodRecord): RunRequest {
  const options = [{ name: 'rootfs', value: 'true' }, ...pod.options];
  const request = parseRunRequest(
    { globals: [], verb: 'run', options, operands: ['/'] },
    readerOf(host),
    pod.infraName,
  );
  if (request.isErr()) throw failureOf(request.error);
  const mode = request.value.networks[0]?.split(':')[0];
  if (mode === 'container' || mode === 'ns')
    throw new Failure(125, `pod ${pod.name}: --network ${mode} is for containers, not for pods`);
  return request.value;
}

function start(host: Host, command: Command, word: string): number {
  const store = storeOf(host, command);
  const pod = requirePod(host, store, word);
  const holder = findContainer(host, pod.infraName)?.state;
  const context = findContext(host);
  const ours = context.inUnit && (pod.unit === '' || context.own.unit === pod.unit);
  if (holder !== undefined && isRunning(host, holder)) {
    if (ours) return 0;
  } else if (!ours && pod.unit !== '') stopUnit(host, 'start', pod.unit, pod.manager);
  else if (!ours && context.systemd) startPodDetached(host, pod);
  else startHolder(host, PARTS, requestOf(host, pod), { ...pod, ...pidFileOf(host) }, { id: host.random(32), store });
  const all = !context.inUnit && pod.unit === '' && context.systemd && host.environment(ALONE) === undefined;
  if (all) startMembers(host, store, pod);
  if (!context.inUnit) host.write(1, `${word}\n`);
  return 0;
}

/** A transient unit says itself where it waits. */
function pidFileOf(host: Host): Pick<PodRecord, 'pidFile'> {
  const pidFile = host.environment('BERTH_POD_PIDFILE');
  return pidFile === undefined ? {} : { pidFile };
}

function timeOf(command: Command): number | undefined {
  const text = lastValue(command, 'time');
  return text === undefined ? undefined : secondsOf(text);
}

function stop(host: Host, command: Command): number {
  const store = storeOf(host, command);
  return forEachOperand(host, chosen(host, command), word => {
    if (isSet(command, 'ignore') && findPod(host, store, word) === undefined) return 0;
    stopPod(host, requirePod(host, store, word), timeOf(command));
    if (!findContext(host).inUnit) host.write(1, `${word}\n`);
    return 0;
  });
}

function restart(host: Host, command: Command): number {
  const store = storeOf(host, command);
  return forEachOperand(host, chosen(host, command), word => {
    const pod = requirePod(host, store, word);
    if (pod.unit !== '') {
      stopUnit(host, 'restart', pod.unit, pod.manager);
      host.write(1, `${word}\n`);
      return 0;
    }
    stopPod(host, pod, undefined);
    return start(host, command, word);
  });
}

function remove(host: Host, command: Command): number {
  const store = storeOf(host, command);
  const ignore = isSet(command, 'ignore') || isSet(command, 'force');
  return forEachOperand(host, chosen(host, command), word => {
    if (ignore && findPod(host, store, word) === undefined) return 0;
    removePod(host, store, requirePod(host, store, word), isSet(command, 'force'), timeOf(command));
    if (!findContext(host).inUnit) host.write(1, `${word}\n`);
    return 0;
  });
}
