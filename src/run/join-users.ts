import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import { findContainer } from './containers.ts';

/**
 * A container of an account that shares namespaces of another one (`container:NAME`) shares its users as well, as members of a pod do: the kernel
 * lets nobody in who has no power over the user namespace that they belong to. With users of its own it is refused there. What the other one has
 * of the host is the host's.
 */
export function joinUsers(host: Host, request: RunRequest): RunRequest {
  const { networks, pid, ipc, uts } = request;
  const found = [networks[0] ?? '', pid, ipc, uts].find(mode => mode.startsWith('container:'));
  if (host.euid === 0 || request.userns.kind !== 'default' || found === undefined) return request;
  const state = findContainer(host, found.slice(10))?.state;
  if (state === undefined || state.uidMap.length === 0) return request;
  const ofHost = networks[0] === found && state.network.kind === 'host';
  return { ...request, userns: { kind: 'join', target: found }, ...(ofHost ? { networks: ['host'] } : {}) };
}
