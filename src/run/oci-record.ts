import type { Host } from '../host/host.ts';
import { isName } from './containers.ts';
import { Failure } from './failure.ts';

/**
 * State of `berth oci`: ROOT/ID/state.json, and ROOT/ID/start, the socket on which a created container waits for one byte of `oci start`. The
 * files are removed by `oci delete`. (Containers of `berth run` have bundles of their own, see state.ts.)
 */
export interface OciRecord {
  readonly version: 1;
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly pid: number;
  readonly startTime: string;
  /** RFC 3339. */
  readonly created: string;
  /** Path of the container's control group below /sys/fs/cgroup; empty: none of its own. */
  readonly cgroup: string;
  /** Scope of systemd that we made for it; empty: none. */
  readonly scope: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export type OciStatus = 'creating' | 'created' | 'running' | 'stopped';

export function ociDirectory(root: string, id: string): string {
  if (!isName(id)) throw new Failure(1, `${id}: not a container id`);
  return `${root}/${id}`;
}

export function readRecord(host: Host, root: string, id: string): OciRecord {
  const text = host.readFileIfExists(`${ociDirectory(root, id)}/state.json`);
  if (text === undefined) throw new Failure(1, `${id}: no such container in ${root}`);
  return JSON.parse(text) as OciRecord;
}

export function writeRecord(host: Host, root: string, record: OciRecord): void {
  const path = `${ociDirectory(root, record.id)}/state.json`;
  host.writeFile(`${path}.new`, JSON.stringify(record), 0o600);
  host.rename(`${path}.new`, path);
}

export function statusOfRecord(host: Host, root: string, record: OciRecord): OciStatus {
  if (record.pid === 0) return 'creating';
  if (host.startTime(record.pid) !== record.startTime || isZombie(host, record.pid)) return 'stopped';
  return host.lstat(`${ociDirectory(root, record.id)}/start`) === undefined ? 'running' : 'created';
}

/** Ended, but its parent has not asked yet: state Z or X in /proc/PID/stat, behind the name in brackets. */
function isZombie(host: Host, pid: number): boolean {
  const text = host.readFileIfExists(`/proc/${pid}/stat`) ?? '';
  return /^\) [ZX]/.test(text.slice(text.lastIndexOf(')')));
}

/** A pidfd of the payload, or undefined when it is gone. */
export function openRecord(host: Host, record: OciRecord): number | undefined {
  const pidfd = record.pid === 0 ? undefined : host.openProcess(record.pid);
  if (pidfd === undefined) return undefined;
  if (host.startTime(record.pid) === record.startTime) return pidfd;
  host.close(pidfd);
  return undefined;
}
