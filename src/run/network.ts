import type { Host } from '../host/host.ts';
import type { RunRequest } from '../plan/request.ts';
import type { Begun } from './begin.ts';
import { failureOf } from './failure.ts';
import type { NetworkState, Parts } from './parts.ts';
import type { StartPlace } from './place.ts';
import type { Prepared } from './prepare.ts';
import type { Undo } from './undo.ts';

/** The request with a number for each port that it leaves open. */
export function withPorts(host: Host, parts: Parts, request: RunRequest): RunRequest {
  if (request.ports.every(port => port.hostPort !== 0)) return request;
  return { ...request, ports: parts.network.choosePorts(host, request.ports) };
}

/** Sets up the network of a stage that waits at `created`. Throws a Failure. */
export function setUpNetwork(
  host: Host,
  parts: Parts,
  request: RunRequest,
  { bundle, store, name }: StartPlace,
  { hosts }: Prepared,
  { stage }: Begun,
  undo: Undo,
): NetworkState {
  const netnsPath = `/proc/${stage.pid}/ns/net`;
  const network = parts.network.setUp(host, request, {
    pid: stage.pid,
    netnsPath,
    bundle,
    store,
    name,
    uid: host.euid,
    ...(hosts === undefined ? {} : { hosts }),
  });
  if (network.isErr()) throw failureOf([network.error]);
  undo.add('network', () => void parts.network.tearDown(host, network.value));
  return network.value;
}
