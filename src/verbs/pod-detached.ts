import type { Host } from '../host/host.ts';
import { runtimeDirectory } from '../run/directories.ts';
import { findContainer, isRunning } from '../run/containers.ts';
import { Failure } from '../run/failure.ts';
import { namespaceUnits } from '../run/place.ts';
import type { PodRecord } from '../run/pods.ts';
import { transientUnit } from './pod-end.ts';
import { requirement, startTransientService, type Property } from '../systemd/transient.ts';
import { journalCommand } from '../systemd/journal-hint.ts';

/**
 * `berth pod start` typed by a person: a transient unit of the form that a .pod file gives. One at a time: of several that find what an earlier
 * unit has left one would clear away what another has just made.
 */
export function startPodDetached(host: Host, pod: PodRecord): void {
  const path = `${runtimeDirectory(host)}/${pod.name}.pod.lock`;
  const lock = host.lock(path, true, true);
  try {
    const holder = findContainer(host, pod.infraName)?.state;
    if (holder === undefined || !isRunning(host, holder)) startUnit(host, pod);
  } finally {
    host.unlink(path);
    lock?.release();
  }
}

function startUnit(host: Host, pod: PodRecord): void {
  const manager = host.euid === 0 ? 'system' : 'user';
  const program = host.readlink('/proc/self/exe');
  const unit = transientUnit(pod);
  const pidFile = `${runtimeDirectory(host)}/${pod.name}.pod.pid`;
  const line = (words: string[]): unknown => [[words[0], words, ['no-env-expand']]];
  const properties: Property[] = [
    ['Description', 's', `berth pod ${pod.name}`],
    ['Type', 's', 'forking'],
    ['PIDFile', 's', pidFile],
    ['Environment', 'as', [`PODMAN_SYSTEMD_UNIT=${unit}`, `BERTH_POD_PIDFILE=${pidFile}`]],
    ...requirement(
      namespaceUnits(
        host,
        pod.options.filter(use => use.name === 'network').map(use => use.value),
      ),
    ),
    ['SyslogIdentifier', 's', pod.name],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['ExecStartEx', 'a(sasas)', line([program, 'pod', 'start', pod.name])],
    ['ExecStopPostEx', 'a(sasas)', line([program, 'rm', '-f', '-i', '-v', pod.infraName])],
  ];
  // Two of its containers may start it at once.
  const { result } = startTransientService(host, manager, unit, properties, 'counts');
  if (result !== 'done')
    throw new Failure(125, `pod ${pod.name}: the start failed (${result}); see ${journalCommand(manager, unit)}`);
}
