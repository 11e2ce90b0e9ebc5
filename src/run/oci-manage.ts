import { HostError, type Host } from '../host/host.ts';
import { killGroup, removeGroup } from './cgroup.ts';
import { openPayload } from './containers.ts';
import { Failure } from './failure.ts';
import { hooksOf, runHooks } from './oci-hooks.ts';
import { ociDirectory, readRecord, statusOfRecord, type OciRecord } from './oci-record.ts';

/** `oci start`: the created container gets its byte and goes on to exec. */
export function ociStart(host: Host, root: string, id: string): void {
  const record = readRecord(host, root, id);
  const status = statusOfRecord(host, root, record);
  if (status !== 'created') throw new Failure(1, `${id}: cannot be started: it is ${status}`);
  const path = `${ociDirectory(root, id)}/start`;
  const socket = host.connectUnix(path, 'datagram');
  try {
    host.send(socket, 'g');
    host.unlink(path);
  } finally {
    host.close(socket);
  }
  runHooks(host, 'poststart', hooksOf(host, record.bundle), stateText(record, 'running'));
}

/** `oci state`: https://github.com/opencontainers/runtime-spec/blob/v1.2.1/runtime.md#state */
export function ociState(host: Host, root: string, id: string): string {
  const record = readRecord(host, root, id);
  const status = statusOfRecord(host, root, record);
  return stateText(record, status);
}

export function stateText(record: OciRecord, status: string): string {
  return JSON.stringify(
    {
      ociVersion: record.ociVersion,
      id: record.id,
      status,
      pid: status === 'stopped' ? 0 : record.pid,
      bundle: record.bundle,
      created: record.created,
      annotations: record.annotations,
    },
    undefined,
    2,
  );
}

/** `oci kill`: the payload, or with `all` every process of its group. */
export function ociKill(host: Host, root: string, id: string, signal: number, all: boolean): void {
  const record = readRecord(host, root, id);
  if (all && signal === 9 && record.cgroup !== '') {
    killGroup(host, `/sys/fs/cgroup${record.cgroup}`);
    return;
  }
  const status = statusOfRecord(host, root, record);
  const pidfd = status === 'stopped' ? undefined : openPayload(host, record);
  if (pidfd === undefined) throw new Failure(1, `${id}: container not running`);
  try {
    host.signal(pidfd, signal);
  } finally {
    host.close(pidfd);
  }
}

/** `oci delete`: a container that runs needs `force`; one that is created is ended. */
export function ociDelete(host: Host, root: string, id: string, force: boolean): void {
  const directory = ociDirectory(root, id);
  if (force && host.lstat(`${directory}/state.json`) === undefined) {
    host.removeTree(directory);
    return;
  }
  const record = readRecord(host, root, id);
  const status = statusOfRecord(host, root, record);
  if (status === 'running' && !force) throw new Failure(1, `${id}: cannot be deleted: it is running; give --force`);
  if (status !== 'stopped') endPayload(host, record);
  if (record.cgroup !== '') removeOwnGroup(host, record.cgroup);
  host.removeTree(directory);
  runHooks(host, 'poststop', hooksOf(host, record.bundle), stateText(record, 'stopped'));
}

function endPayload(host: Host, record: OciRecord): void {
  const pidfd = openPayload(host, record);
  if (pidfd === undefined) return;
  try {
    host.signal(pidfd, 9);
    host.poll([pidfd], 10_000);
  } finally {
    host.close(pidfd);
  }
}

/** A scope is removed by systemd as soon as it is empty: absent is fine. */
function removeOwnGroup(host: Host, cgroup: string): void {
  try {
    removeGroup(host, `/sys/fs/cgroup${cgroup}`);
  } catch (error) {
    if (!(error instanceof HostError) || (error.code !== 'ENOENT' && error.code !== 'EBUSY')) throw error;
  }
}
