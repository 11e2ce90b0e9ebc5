import type { Host } from '../host/host.ts';
import { newOptions } from '../plan/parse-mounts.ts';
import type { MountRequest, RunRequest } from '../plan/request.ts';
import type { Spec } from '../plan/spec.ts';
import { findContainer, type Container } from './containers.ts';
import { Failure } from './failure.ts';
import type { ContainerState } from './state.ts';

/**
 * The request with the binds and volumes of other containers (podman-run(1), --volumes-from), which need not run. Of two on one target the
 * request's own counts, then the last container's.
 */
export function withVolumesOf(host: Host, request: RunRequest): RunRequest {
  if (request.volumesFrom.length === 0) return request;
  const found = new Map<string, MountRequest>();
  for (const { container, readOnly, shared } of request.volumesFrom) {
    const other = findContainer(host, container);
    if (other?.state === undefined) throw new Failure(125, `--volumes-from ${container}: no such container`);
    for (const mount of mountsOf(host, other, other.state)) {
      const { chown: _chown, relabel: _relabel, ...options } = mount.options;
      const more = { ...(readOnly && { readOnly }), ...(shared && { relabel: 'shared' as const }), chown: false };
      found.set(mount.target, { ...mount, options: { ...options, ...more } });
    }
  }
  for (const { target } of request.mounts) found.delete(target);
  return { ...request, mounts: [...request.mounts, ...found.values()] };
}

type Shareable = Extract<MountRequest, { kind: 'bind' | 'volume' }>;

function mountsOf(host: Host, { bundle }: Container, state: ContainerState): Shareable[] {
  const named = (state.mounts ?? []).filter(mount => mount.kind === 'bind' || mount.source !== '');
  const text = host.readFileIfExists(`${bundle}/config.json`);
  const spec = text === undefined ? undefined : (JSON.parse(text) as Spec);
  const anonymous = (spec?.mounts ?? []).flatMap(({ source = '', destination }): Shareable[] => {
    const volume = volumeOf(source);
    if (!state.anonymousVolumes.includes(volume)) return [];
    return [{ kind: 'volume', source: volume, target: destination, options: newOptions() }];
  });
  return [...named, ...anonymous];
}

/** The name of the volume that is mounted; empty when it is none. */
export function volumeOf(source: string): string {
  return /\/volumes\/([^/]+)\/_data$/.exec(source)?.[1] ?? '';
}
