import type { Child, Exit, Host } from '../host/host.ts';
import type { HealthPlan } from '../plan/health.ts';
import type { RunRequest } from '../plan/request.ts';
import { mapOf, type Begun } from './begin.ts';
import { removeGroup } from './cgroup.ts';
import { readContainer, writeState } from './containers.ts';
import { allowCopies, awaitSync } from './dialogue.ts';
import { Failure } from './failure.ts';
import { runtimeError } from './foreign.ts';
import { takeConsole } from './foreign-terminal.ts';
import { containerFields, startMessage, tellEvent } from './event.ts';
import { writeExit } from './exit-record.ts';
import { holdInput } from './input.ts';
import { forgetName } from './locks.ts';
import type { Made } from './make.ts';
import type { NetworkState, Parts } from './parts.ts';
import type { StartPlace } from './place.ts';
import type { Prepared } from './prepare.ts';
import { healthFile } from './health-start.ts';
import { startRelay } from './relay-start.ts';
import { removeContainer } from './remove.ts';
import { removeImageOf } from './remove-image.ts';
import { STATE_VERSION, type Asked, type ContainerState, type HealthState } from './state.ts';
import type { Streams } from './streams.ts';
import type { Undo } from './undo.ts';

/** A start whose stage waits at `created` with its network set up. */
export interface Started {
  readonly request: RunRequest;
  readonly place: StartPlace;
  readonly prepared: Prepared;
  readonly made: Made;
  readonly streams: Streams;
  readonly begun: Begun;
  readonly network: NetworkState;
  readonly undo: Undo;
  /** When it was made, where this is not its first start. Seconds since the epoch. */
  readonly first?: number;
}

/** The exit status after --timeout, as Podman has it. */
const TIMED_OUT = 255;

/** HUP INT QUIT USR1 USR2 TERM CONT WINCH: what a person or systemd means for the payload. */
export const FORWARDED = [1, 2, 3, 10, 12, 15, 18];

/**
 * The payload becomes the unit's main process. MAINPID= goes with a barrier, so that systemd knows the process before it can exit: then its
 * exit status is the unit's, however soon. READY=1 is the relay's, so that our death cannot hang the start; without a relay
 * it is ours.
 */
export function handOver(host: Host, started: Started): void {
  const { stage } = started.begun;
  const { sdnotify } = started.request;
  const relay = startRelay(host, started, true);
  if (sdnotify !== 'ignore') host.notify(`MAINPID=${stage.pid}`, true);
  started.undo.forget();
  host.proceed(stage, 'ready');
  if (relay !== undefined || host.outcome(stage) !== '') return;
  tellEvent(host, 'start', startMessage(started), containerFields(started));
  if (sdnotify !== 'ignore') host.notify('READY=1', true);
}

/** Waits for the payload beside it, then cleans up; the exit status, 128 + N after signal N. */
export function attendPayload(host: Host, parts: Parts, started: Started, relay: Child | undefined): number {
  const { begun, request, made, place, undo } = started;
  const { stage } = begun;
  undo.forget();
  host.proceed(stage, 'ready');
  const runs = host.outcome(stage) === '';
  if (runs) tellEvent(host, 'start', startMessage(started), containerFields(started));
  const terminal = request.tty ? terminalOf(host, started, runs) : undefined;
  const attended = host.attend(stage, {
    forward: FORWARDED,
    child: true,
    ...(terminal === undefined ? {} : { terminal }),
  });
  // The relay tells by its status that it has killed the payload (native/tiny/relay-file-support.c).
  const late = relay !== undefined && host.wait(relay).status === 1 && request.timeout > 0;
  const exit = late ? { status: TIMED_OUT } : attended;
  // Its error went to a terminal that nobody reads.
  if (!runs && made.console !== undefined) host.write(2, `berth: ${runtimeError(host, place.bundle)}\n`);
  if (runs) tellEnd(host, started, exit);
  cleanUp(host, parts, started, exit);
  if (runs && request.removeImage) removeImageOf(host, request.image ?? '');
  return statusOf(exit);
}

function terminalOf(host: Host, { begun, made }: Started, runs: boolean): number | undefined {
  if (made.console === undefined) return begun.heard.fds.get('console');
  return runs ? takeConsole(host, made.console) : undefined;
}

/** Nobody else sees the exit status of what a person runs in the foreground; of a unit systemd tells it. */
function tellEnd(host: Host, started: Started, exit: Exit): void {
  const status = String(statusOf(exit));
  const fields = { ...containerFields(started), BERTH_EXIT_STATUS: status };
  tellEvent(host, 'died', `container ${started.place.name} ended with status ${status}`, fields);
}

export function statusOf(exit: Exit): number {
  return exit.status ?? 128 + (exit.signal ?? 0);
}

/** Lets the stage build the root, and does `meanwhile` beside it; then the container is known to others. */
export function reachReady(host: Host, parts: Parts, started: Started, meanwhile?: () => void): void {
  const { begun, place, prepared } = started;
  host.proceed(begun.stage, 'created');
  meanwhile?.();
  const input = holdInput(host, started.streams.input, started.undo);
  const state = { ...stateOf(host, started), ...(input === undefined ? {} : { input }) };
  const copied = allowCopies(host, begun.stage, prepared.volumes.fresh);
  try {
    awaitSync(host, begun.stage, 'ready', begun.heard);
  } catch (error) {
    throw withOwners(error, started);
  } finally {
    copied();
  }
  if (prepared.volumes.fresh.length > 0) parts.volumes.markFilled(host, place.store, prepared.volumes);
  // Of its end before, where it is started again.
  if (place.again === true) host.unlink(`${place.bundle}/exit.json`);
  writeState(host, place.bundle, state);
  if (started.request.cidfile !== undefined) host.writeFileAtomic(started.request.cidfile, state.id, 0o644);
}

/** A root directory of other ids than the container's denies it what it makes there. */
function withOwners(error: unknown, { request: { rootfs } }: Started): unknown {
  const [line = ''] = error instanceof Failure ? error.lines : [];
  if (rootfs === undefined || !line.endsWith('permission denied')) return error;
  return new Failure(125, `${line}; give ${rootfs.path} to the container's ids, or write ${rootfs.path}:idmap as root`);
}

/** --rm takes everything away; without it state, layer and bundle stay for `ps --all`, `logs` and `rm`. */
function cleanUp(host: Host, parts: Parts, started: Started, exit: Exit): void {
  const { place, prepared, request, made, network } = started;
  if (request.remove) {
    const container = readContainer(host, place.bundle, place.name);
    // systemd would end a child of ours with the unit.
    const quickly = !place.context.inUnit;
    for (const line of removeContainer(host, parts, place.store, container, true, quickly))
      host.write(2, `berth: ${line}\n`);
    forgetName(host, place.store, place.name);
    if (request.cidfile !== undefined) host.unlink(request.cidfile);
    return;
  }
  writeExit(host, place.bundle, { ...exit, status: statusOf(exit), outOfMemory: false, finished: host.now() });
  parts.network.tearDown(host, network);
  for (const line of parts.volumes.release(host, place.store, prepared.volumes.named, place.bundle)) {
    host.write(2, `berth: ${line}\n`);
  }
  if (made.group !== undefined) removeGroup(host, made.group.directory);
}

function stateOf(host: Host, started: Started): ContainerState {
  const { begun, place, made, first, network } = started;
  const { unit, manager } = place.context.own;
  return {
    ...recordOf(host, started),
    pid: begun.stage.pid,
    startTime: host.startTime(begun.stage.pid) ?? '',
    unit,
    manager,
    cgroup: made.group?.path ?? '',
    network,
    ...(first === undefined ? {} : { first }),
  };
}

/** What is known of a container before it runs. */
export function recordOf(
  host: Host,
  { place, prepared, request }: Pick<Started, 'place' | 'prepared' | 'request'>,
): Omit<ContainerState, 'pid' | 'startTime' | 'unit' | 'manager' | 'cgroup' | 'network'> {
  const { plan } = prepared;
  return {
    version: STATE_VERSION,
    name: place.name,
    id: place.id,
    image: request.image ?? request.rootfs?.path ?? '',
    imageId: prepared.image?.id ?? '',
    ...(prepared.volumes.images.length === 0 ? {} : { mountedImages: prepared.volumes.images }),
    command: plan.spec.process?.args ?? [],
    created: Math.floor(host.now()),
    stopSignal: plan.stopSignal,
    stopTimeout: plan.stopTimeout,
    layer: prepared.layer,
    remove: request.remove,
    ...(request.removeImage ? { removeImage: true } : {}),
    ...(request.restart.after === 'never' ? {} : { restarts: true }),
    uidMap: mapOf(plan.spec.linux.uidMappings),
    gidMap: mapOf(plan.spec.linux.gidMappings),
    ...(request.userns.kind === 'auto' ? { autoIds: true } : {}),
    anonymousVolumes: prepared.volumes.anonymous,
    volumes: prepared.volumes.named,
    mounts: request.mounts.filter(mount => mount.kind === 'bind' || mount.kind === 'volume'),
    ...(request.pod === undefined ? {} : { pod: request.pod }),
    ports: portsOf(request),
    labels: { ...prepared.image?.config.labels, ...request.labels },
    ...askedOf(request, prepared.image?.config.user ?? ''),
    logDriver: request.logDriver,
    ...(prepared.logFile === undefined ? {} : { logPath: prepared.logFile.path }),
    runtime: request.runtime ?? '',
    ...(prepared.health === undefined ? {} : { health: healthState(prepared.health, place.bundle, place.id) }),
    defaultSeccomp: plan.defaultSeccomp,
  };
}

function askedOf(request: RunRequest, imageUser: string): { asked?: Asked } {
  const { user = imageUser, cidfile, addHosts, volumesFrom, sdnotify, timeout, interactive, publishAll } = request;
  const asked: Asked = {
    ...(user === '' ? {} : { user }),
    ...(cidfile === undefined ? {} : { cidfile }),
    ...(addHosts.length === 0 ? {} : { hosts: addHosts.map(one => `${one.name}:${one.address}`) }),
    ...(volumesFrom.length === 0 ? {} : { volumesFrom: volumesFrom.map(one => one.container) }),
    ...(sdnotify === 'container' ? {} : { notify: sdnotify }),
    ...(timeout === 0 ? {} : { timeout }),
    ...(request.restart.after === 'never' ? {} : { restart: request.restart }),
    ...(interactive ? { interactive } : {}),
    ...(publishAll ? { publishAll } : {}),
  };
  return Object.keys(asked).length === 0 ? {} : { asked };
}

function healthState(plan: HealthPlan, bundle: string, id: string): HealthState {
  const { health, startPeriod } = plan;
  const command = health?.kind === 'exec' ? health.command : [];
  const { timeout = 0, interval = 0, retries = 0 } = health ?? {};
  return {
    log: healthFile(plan, bundle, id),
    stopping: `${bundle}/stopping`,
    command,
    ...(health === undefined || health.kind === 'exec' ? {} : { connection: `${health.kind}:${health.target}` }),
    timeout,
    interval,
    retries,
    startPeriod,
  };
}

function portsOf(request: RunRequest): ContainerState['ports'] {
  return request.ports.flatMap(port =>
    Array.from({ length: port.count }, (_, index) => ({
      host: port.hostAddress,
      hostPort: port.hostPort === 0 ? 0 : port.hostPort + index,
      port: port.port + index,
      protocol: port.protocol,
    })),
  );
}
