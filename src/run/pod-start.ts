/**
 * Theory of operation: `pod start`, the ExecStart= of a unit of Type=forking. The holder is begun as a container is (start.ts), without image and
 * relay: its namespaces, its network and its ports are the pod's. Then its number is written where systemd waits for it, and we leave; it
 * was our child, so systemd becomes its parent. Members join the namespaces of the container that the holder is.
 */
import type { Host } from '../host/host.ts';
import { compileHolder } from '../ops/holder.ts';
import type { RunRequest } from '../plan/request.ts';
import { begin } from './begin.ts';
import { Failure } from './failure.ts';
import { reachReady } from './finish.ts';
import { lockIds, lockName } from './locks.ts';
import { make } from './make.ts';
import { storeMaps } from './mapped-layers.ts';
import type { Parts } from './parts.ts';
import { setUpNetwork, withPorts } from './network.ts';
import { choosePlace, type Wanted } from './place.ts';
import type { PodRecord } from './pods.ts';
import { prepare } from './prepare.ts';
import { takeName } from './recover.ts';
import { nestOf } from './start.ts';
import { makeUndo } from './undo.ts';

/** What the holder of a pod is as a container; `request` is what the pod's options say. */
export function holderRequest(request: RunRequest, pod: PodRecord, bundle: string): RunRequest {
  return {
    ...request,
    name: pod.infraName,
    pod: pod.name,
    rootfs: { path: `${bundle}/rootfs`, overlay: false },
    command: ['berth-holder'],
    ...(request.uts === 'private' ? { hostname: request.hostname ?? hostnameOf(pod.name) } : {}),
    networkAliases: [...request.networkAliases, pod.name],
    detach: true,
    remove: true,
    cgroups: 'disabled',
    cgroupns: 'host',
    sdnotify: 'ignore',
    logDriver: 'none',
    httpProxy: false,
    passwd: false,
    mounts: [],
    volumesFrom: [],
    devices: [],
  };
}

const hostnameOf = (name: string): string =>
  name
    .replaceAll('_', '-')
    .slice(0, 63)
    .replace(/[-.]+$/, '');

/** Starts the holder; its pid. */
export function startHolder(host: Host, parts: Parts, request: RunRequest, pod: PodRecord, wanted: Wanted): number {
  // The holder lies in the unit's own group: nothing is divided.
  const place = choosePlace(host, parts, { ...request, cgroups: 'disabled' }, wanted);
  const undo = makeUndo();
  const locks = [lockName(host, place.store, place.name)];
  try {
    takeName(host, parts, place.store, place.name);
    if (request.userns.kind === 'auto') locks.push(lockIds(host, place.store));
    const own = withPorts(host, parts, holderRequest(request, pod, place.bundle));
    const prepared = prepare(host, parts, own, place);
    for (const warning of prepared.plan.warnings) host.write(2, `berth: warning: ${warning}\n`);
    const made = make(host, parts, prepared, place, undo, false);
    host.mkdirs(`${place.bundle}/rootfs/dev/shm`, 0o755);
    const { spec } = prepared.plan;
    const nest = nestOf(host, parts, own, spec);
    const { ops, descriptors } = compileHolder(host, prepared.plan, place.bundle, { nest, shmSize: own.shmSize });
    const streams = { stdio: ['null', 'null', 'inherit'], closePayloadEnds: () => undefined } as const;
    const begun = begin(
      host,
      {
        spec,
        ops,
        descriptors,
        sibling: false,
        nested: nest !== undefined,
        ...(prepared.plan.outside ? { outside: storeMaps(host) } : {}),
        group: '',
        streams,
      },
      undo,
    );
    const network = setUpNetwork(host, parts, own, place, prepared, begun, undo);
    reachReady(host, parts, { request: own, place, prepared, made, streams, begun, network, undo });
    host.proceed(begun.stage, 'ready');
    const said = host.outcome(begun.stage);
    if (said !== '') throw new Failure(125, `pod ${pod.name}: its holder could not start: ${said}`);
    if (pod.pidFile !== undefined) host.writeFileAtomic(pod.pidFile, `${begun.stage.pid}\n`, 0o644);
    undo.forget();
    return begun.stage.pid;
  } catch (error) {
    const lines = undo.run();
    if (lines.length > 0 && error instanceof Failure) throw new Failure(error.status, [...error.lines, ...lines]);
    throw error;
  } finally {
    for (const lock of locks) lock.release();
  }
}
