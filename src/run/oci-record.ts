import type { Host } from '../host/host.ts';
import { isName, openPayload } from './containers.ts';
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
  const pidfd = openPayload(host, record);
  if (pidfd === undefined) return 'stopped';
  host.close(pidfd);
  return host.lstat(`${ociDirectory(root, record.id)}/start`) === undefined ? 'running' : 'created';
}
