import type { Command } from '../command/types.ts';
import type { Host } from '../host/host.ts';
import { fullNameOf, type FoundImage } from '../image/resolve.ts';
import { publishAll } from '../plan/publish-all.ts';
import { parseRunRequest } from '../plan/request-parse.ts';
import type { RunRequest } from '../plan/request.ts';
import { readWay } from '../run/again.ts';
import { failureOf } from '../run/failure.ts';
import { joinUsers } from '../run/join-users.ts';
import { joinPod, podOf } from '../run/pod-join.ts';
import type { PodRecord } from '../run/pods.ts';
import { withVolumesOf } from '../run/volumes-from.ts';
import { readerOf } from './reader.ts';
import { labelsFromUnit } from './run-environment.ts';

/** What a command line asks for, without what it takes from its pod, which may not run yet. */
export interface Parsed {
  readonly request: RunRequest;
  readonly pod?: PodRecord;
}

/** The command line of `run` or `create`, with what it takes from other containers. `fromUnit`: of a transient unit. */
export function parsedOf(host: Host, command: Command, id: string, store: string, fromUnit: boolean): Parsed {
  const member = podOf(host, store, command);
  const parsed = parseRunRequest(member?.command ?? command, readerOf(host), id.slice(0, 12));
  if (parsed.isErr()) throw failureOf(parsed.error);
  const labels = fromUnit ? labelsFromUnit(host) : {};
  const labelled = { ...parsed.value, labels: { ...labels, ...parsed.value.labels } };
  const request = withVolumes(host, store, labelled, fromUnit ? id : undefined);
  return member === undefined ? { request } : { request, pod: member.pod };
}

/** With the namespaces of its pod, which runs, or the users of the container whose namespaces it has. */
export function joined(host: Host, { request, pod }: Parsed): RunRequest {
  return pod === undefined ? joinUsers(host, request) : joinPod(host, request, pod);
}

/** A further start has what the first one found, whatever became of the other containers. */
function withVolumes(host: Host, store: string, request: RunRequest, id: string | undefined): RunRequest {
  const kept = request.volumesFrom.length === 0 || id === undefined ? undefined : readWay(host, store, request.name);
  return kept?.mounts?.id === id && kept?.mounts !== undefined
    ? { ...request, mounts: kept.mounts.mounts }
    : withVolumesOf(host, request);
}

/** With what the image tells: its ports, and its name in full, which lists and events show whatever was typed; `before`: the one that was told at the start before this. */
export function requestOf(host: Host, asked: RunRequest, image: FoundImage | undefined, before?: string): RunRequest {
  const published = publishAll(asked, image?.record);
  if (published.isErr()) throw failureOf(published.error);
  const name = before ?? (image === undefined ? undefined : fullNameOf(host, image));
  return name === undefined ? published.value : { ...published.value, image: name };
}
